/** Pauses between attempts: each twice as long as the one before at most, less a random part, so that nodes do not come all at once. */
export class Backoff {
  readonly #minMs: number;
  readonly #maxMs: number;
  #ms: number;

  constructor({ minMs, maxMs }: { readonly minMs: number; readonly maxMs: number }) {
    this.#minMs = minMs;
    this.#maxMs = maxMs;
    this.#ms = minMs;
  }

  nextMs(): number {
    const ms = this.#ms;
    this.#ms = Math.min(ms * 2, this.#maxMs);
    return ms * (0.5 + Math.random() / 2);
  }

  reset(): void {
    this.#ms = this.#minMs;
  }
}
