/** What can be done to the network between one page and the server, for a while. */
export const troubles = [
  { name: 'changed', title: 'Change networks', text: 'every connection goes silent, and new ones pass' },
  { name: 'no-websocket', title: 'Block WebSocket', text: 'open ones are cut, and upgrades answered 400' },
  { name: 'held', title: 'Hold back answers', text: 'no WebSocket, and no answer comes before it is whole' },
  { name: 'silent', title: 'Go silent', text: 'nothing passes, and nobody is told' },
  { name: 'no-posts', title: 'Swallow POSTs', text: 'requests are never answered; WebSocket passes' },
  { name: 'cuts', title: 'Cut every 2 s', text: 'every connection is reset, again and again' },
  { name: 'captive', title: 'Captive portal', text: 'every request is answered with a page of HTML' },
  { name: 'blocked', title: 'Block everything', text: 'connections are reset as soon as they are made' },
] as const;

export type Trouble = (typeof troubles)[number];
export type TroubleName = Trouble['name'];

/** How long one may last, s. */
export const troubleSecondsMax = 60;

export function findTrouble(name: unknown): Trouble | undefined {
  return troubles.find((trouble) => trouble.name === name);
}
