/**
 * Text in, lines out (PROTOCOL §2). Both ways of cutting ignore empty lines, so a carrier may send a `\n` to keep itself awake, and both count the `\n`
 * into the length of a line even where a message leaves it out.
 */
import { RunnelError } from '../errors.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { fitsUtf8 } from './utf8.ts';

/** The lines of a text that arrives in pieces: the body of a request or of an answer. After it has thrown it is of no more use. */
export class LineReader {
  readonly #lineBytes: number;
  /** The pieces of the line that has not ended. They are joined once, when it ends: one at a time would be quadratic. */
  #pieces: string[] = [];
  /** UTF-16 units in `#pieces`. */
  #rest = 0;

  constructor(lineBytes: number = DEFAULT_LIMITS.lineBytes) {
    this.#lineBytes = lineBytes;
  }

  /** UTF-16 units of the line that has not ended. */
  get rest(): number {
    return this.#rest;
  }

  /**
   * The lines that `chunk` completes, without their `\n`.
   * @throws RunnelError `frame_too_large`: exact for a line that has ended; one that has not may take up to three bytes for each unit allowed.
   */
  push(chunk: string): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', start)) {
      this.#keep(chunk.slice(start, end));
      if (this.#rest)
        lines.push(
          checked(this.#pieces.length > 1 ? this.#pieces.join('') : (this.#pieces[0] as string), this.#lineBytes),
        );
      this.#pieces = [];
      this.#rest = 0;
      start = end + 1;
    }
    this.#keep(chunk.slice(start));
    return lines;
  }

  #keep(piece: string): void {
    if (!piece) return;
    this.#rest += piece.length;
    if (this.#rest >= this.#lineBytes) throw tooLarge(this.#lineBytes);
    this.#pieces.push(piece);
  }
}

/** The lines of a whole WebSocket message; the last may lack its `\n`. @throws RunnelError `frame_too_large` */
export function splitMessage(text: string, lineBytes: number = DEFAULT_LIMITS.lineBytes): string[] {
  if (text && !text.includes('\n')) return [checked(text, lineBytes)];
  return text.split('\n').filter((line) => line && checked(line, lineBytes));
}

function checked(line: string, lineBytes: number): string {
  if (!fitsUtf8(line, lineBytes - 1)) throw tooLarge(lineBytes);
  return line;
}

function tooLarge(lineBytes: number): RunnelError {
  return new RunnelError('frame_too_large', `A line is longer than ${lineBytes} bytes.`);
}
