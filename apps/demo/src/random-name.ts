const manners = [
  'Amber', 'Brisk', 'Calm', 'Clear', 'Deep', 'Early', 'Gentle', 'Glad', 'Keen', 'Lively', 'Mellow', 'Misty', 'Quiet',
  'Silver', 'Steady', 'Sunny', 'Swift', 'Tidal', 'Upland', 'Wandering',
] as const; // biome-ignore format: a list of words
const beings = [
  'Alder',
  'Beaver',
  'Brook',
  'Curlew',
  'Dipper',
  'Egret',
  'Fern',
  'Heron',
  'Kingfisher',
  'Lapwing',
  'Mallow',
  'Marten',
  'Minnow',
  'Otter',
  'Pebble',
  'Plover',
  'Reed',
  'Salmon',
  'Sedge',
  'Wagtail',
  'Willow',
] as const;

/**
 * A pleasant name for someone who has not given one: "Quiet Heron".
 *
 * @param random gives numbers from 0 up to 1
 */
export function randomName(random: () => number): string {
  return `${pick(manners, random())} ${pick(beings, random())}`;
}

function pick(words: readonly [string, ...string[]], at: number): string {
  return words[Math.floor(at * words.length)] ?? words[0];
}
