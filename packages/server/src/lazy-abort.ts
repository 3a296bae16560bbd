/** An abort controller that is made when somebody asks for its signal: most handlers never do. */
export class LazyAbort {
  #controller: AbortController | null = null;
  /** Set once aborted. */
  #reason: Error | null = null;

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#reason !== null) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  abort(reason: Error = new DOMException('nobody waits for it any more', 'AbortError')): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }

  /** Whether `error` comes of the abort: the reason itself, or the error that platform functions make of it. */
  caused(error: unknown): boolean {
    if (this.#reason === null) return false;
    return error === this.#reason || (error instanceof Error && error.name === 'AbortError');
  }
}
