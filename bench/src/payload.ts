/** What every contender sends: an object whose JSON has exactly the length asked for, and a number that tells it from all others. */

export interface Payload {
  readonly n: number;
  readonly text: string;
}

/** Numbers begin here, so that all of them have eight digits. */
export const FIRST_NUMBER = 10_000_000;

/** `{"n":10000000,"text":""}` */
const FRAME_BYTES = 24;
const texts = new Map<number, string>();

export function payloadOf(n: number, bytes: number): Payload {
  let text = texts.get(bytes);
  if (text === undefined) {
    text = 'x'.repeat(bytes - FRAME_BYTES);
    texts.set(bytes, text);
  }
  return { n, text };
}
