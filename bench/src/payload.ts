/** What every contender sends: an object whose JSON has exactly the length asked for, and a number that tells it from all others. */

export interface Payload {
  readonly n: number;
  readonly text: string;
}

/** Numbers begin here, so that all of them have eight digits. */
export const FIRST_NUMBER = 10_000_000;
/** Where the number stands: `{"n":10000000,"text":""}`. */
const NUMBER_AT = '{"n":'.length;
const NUMBER_END = NUMBER_AT + 8;
const FRAME_BYTES = 24;
/** A time of sending, in microseconds, has so many digits. */
const TIME_DIGITS = 16;
const texts = new Map<number, string>();

function textOf(bytes: number): string {
  let text = texts.get(bytes);
  if (text === undefined) {
    // Words rather than one letter, so that compression has the work it has with real messages.
    const words = Array.from({ length: Math.ceil(bytes / 6) }, (_, i) =>
      ((i * 2_654_435_761) >>> 8).toString(36).slice(0, 5),
    );
    text = words
      .join(' ')
      .padEnd(bytes, 'x')
      .slice(0, bytes - FRAME_BYTES);
    texts.set(bytes, text);
  }
  return text;
}

export function payloadOf(n: number, bytes: number): Payload {
  return { n, text: textOf(bytes) };
}

/** Its text begins with the time of sending on the machine's monotonic clock, which all processes share. */
export function timedPayload(n: number, bytes: number): Payload {
  return { n, text: String(nowUs()).padStart(TIME_DIGITS, '0') + textOf(bytes).slice(TIME_DIGITS) };
}

/** The JSON of `payloadOf`, without the work of making it. */
export function payloadText(n: number, bytes: number): string {
  return `{"n":${n},"text":"${textOf(bytes)}"}`;
}

/** The number in a payload whose JSON begins at `start`; NaN where there is none. */
export function numberIn(bytes: Buffer, start: number): number {
  return digitsIn(bytes, start + NUMBER_AT, start + NUMBER_END);
}

/** When a timed payload was sent, µs. */
export function sentAtIn(bytes: Buffer, start: number): number {
  const at = start + NUMBER_END + ',"text":"'.length;
  return digitsIn(bytes, at, at + TIME_DIGITS);
}

export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

function digitsIn(bytes: Buffer, start: number, end: number): number {
  return Number(bytes.toString('latin1', start, end));
}
