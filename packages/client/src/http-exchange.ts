/** One POST and its answer, read line by line as it comes. */
import { LineReader } from '@runnel/protocol';
import type { Carrier, CarrierEvents } from './carrier.ts';
import type { Environment } from './environment.ts';

export interface ExchangeOptions {
  readonly fetch: Environment['fetch'];
  readonly url: string;
  readonly body: string;
  readonly credentials: NonNullable<RequestInit['credentials']>;
  readonly headers: Readonly<Record<string, string>>;
  readonly events: CarrierEvents;
}

export function exchange(options: ExchangeOptions): Carrier {
  const { events } = options;
  const abort = new AbortController();
  let dropped = false;
  const drop = (): void => {
    dropped = true;
    abort.abort();
  };
  void run();
  return { send: () => {}, drop };

  async function run(): Promise<void> {
    let code: number | undefined;
    try {
      const response = await options.fetch(options.url, {
        method: 'POST',
        // PROTOCOL §6.1: a type that needs no preflight.
        headers: { ...options.headers, 'content-type': 'text/plain;charset=UTF-8' },
        body: options.body,
        cache: 'no-store',
        credentials: options.credentials,
        signal: abort.signal,
      });
      code = response.status;
      await read(response);
    } catch {
      // Not reached, cut off, or a line beyond all bounds: the rest is of no use.
      if (dropped) return;
      drop();
      return events.end({ ok: false });
    }
    if (!dropped) events.end(code === 200 ? { ok: true } : { ok: false, code });
  }

  async function read(response: Response): Promise<void> {
    const lines = new LineReader();
    if (!response.body) {
      const text = await response.text();
      if (!dropped) events.lines(lines.push(text));
      return;
    }
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || dropped) return;
      events.lines(lines.push(decoder.decode(value, { stream: true })));
    }
  }
}
