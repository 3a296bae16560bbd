// Storage may be forbidden (private windows, cookie settings); then nothing is kept, and the page works all the same.

type Place = 'local' | 'session';

export function readStored(place: Place, key: string): string | null {
  try {
    return area(place).getItem(`runnel.${key}`);
  } catch {
    return null;
  }
}

/** @returns the value, stored or not */
export function store(place: Place, key: string, value: string): string {
  try {
    area(place).setItem(`runnel.${key}`, value);
  } catch {
    // Said above.
  }
  return value;
}

function area(place: Place): Storage {
  return place === 'local' ? localStorage : sessionStorage;
}
