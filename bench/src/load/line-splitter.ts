const LINE_END = 0x0a;

/** Calls back for every whole line, without its end; pieces may be cut anywhere. The bytes are only valid during the call. */
export class LineSplitter {
  readonly #onLine: (bytes: Buffer, start: number, end: number) => void;
  /** The beginning of a line whose end has not come. */
  #rest: Buffer | null = null;

  constructor(onLine: (bytes: Buffer, start: number, end: number) => void) {
    this.#onLine = onLine;
  }

  take(bytes: Buffer, start: number, end: number): void {
    let from = start;
    for (let to = bytes.indexOf(LINE_END, from); to !== -1 && to < end; to = bytes.indexOf(LINE_END, from)) {
      if (this.#rest === null) this.#onLine(bytes, from, to);
      else {
        const line = Buffer.concat([this.#rest, bytes.subarray(from, to)]);
        this.#rest = null;
        this.#onLine(line, 0, line.length);
      }
      from = to + 1;
    }
    if (from === end) return;
    const piece = bytes.subarray(from, end);
    this.#rest = this.#rest === null ? Buffer.from(piece) : Buffer.concat([this.#rest, piece]);
  }
}
