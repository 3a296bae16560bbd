/**
 * What lies between a test's client and its server: requests are handed over in process, and may be broken off like those of a real network. The body of
 * an answer passes through a pipe, so that breaking it off fails the client's end and tells the server's.
 */
export class TestNetwork {
  readonly #serve: (request: Request) => Promise<Response>;
  /** What breaks off each exchange that is under way, and a promise that resolves when it is over. */
  readonly #exchanges = new Map<AbortController, Promise<void>>();
  #off = false;

  /** @param serve the server: resolves with the answer, and takes an abort of the request's signal for a client that is gone */
  constructor(serve: (request: Request) => Promise<Response>) {
    this.#serve = serve;
  }

  /** Stands in for the global `fetch`. A property, so that it can be handed over. */
  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    if (this.#off) throw new TypeError('the network is off');
    init.signal?.throwIfAborted();
    const breaker = new AbortController();
    const { signal } = breaker;
    const giveUp = (): void => breaker.abort(init.signal?.reason);
    init.signal?.addEventListener('abort', giveUp);
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      const over = this.#carry(new Request(url, { ...init, signal }), resolve)
        .catch(reject)
        .finally(() => {
          init.signal?.removeEventListener('abort', giveUp);
          this.#exchanges.delete(breaker);
        });
      this.#exchanges.set(breaker, over);
    });
  };

  /** Breaks off every exchange, as when a proxy is restarted or a phone changes its network. */
  cut(): void {
    for (const breaker of [...this.#exchanges.keys()]) breaker.abort(new TypeError('the network was cut'));
  }

  /** Cuts, and refuses every exchange until `turnOn`. */
  turnOff(): void {
    this.#off = true;
    this.cut();
  }

  turnOn(): void {
    this.#off = false;
  }

  /** Resolves when nothing is under way any more, at either end. */
  async quiet(): Promise<void> {
    while (this.#exchanges.size > 0) await Promise.all(this.#exchanges.values());
  }

  /** Resolves when the last byte of the answer has been taken. */
  async #carry(request: Request, answered: (response: Response) => void): Promise<void> {
    const response = await this.#serve(request);
    if (response.body === null) return answered(response);
    const pipe = new TransformStream<Uint8Array, Uint8Array>();
    answered(new Response(pipe.readable, response));
    await response.body.pipeTo(pipe.writable, { signal: request.signal });
  }
}
