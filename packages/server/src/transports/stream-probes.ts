/**
 * Stream probes (PROTOCOL §6.4): an answer that begins and stays open until the token in its first line has come back in a POST. That proves that a body gets
 * through while it is open, and that POSTs get up beside it. No session is touched.
 */
import { encodeFrame, type Identity, Type } from '@runnel/protocol';
import type { Sleeper } from '../driver.ts';
import { sharedLine } from '../shared-line.ts';
import type { Exchange } from './exchange.ts';

/** Probes open at once. A client has one at a time, for a moment. */
const PROBES_MAX = 1_000;
/** When a client should try again for which there was no room, ms. */
const RETRY_MS = 5_000;

interface Probe<I extends Identity> {
  readonly exchange: Exchange<I>;
  readonly until: number;
}

export interface StreamProbesOptions {
  /** How long a token is good, ms. */
  readonly probeMs: number;
  readonly probesMax?: number;
  readonly newId: () => string;
}

export class StreamProbes<I extends Identity> implements Sleeper {
  readonly #options: StreamProbesOptions;
  /** By token. All live equally long, so the order in which they were opened is the order in which they expire. */
  readonly #open = new Map<string, Probe<I>>();

  constructor(options: StreamProbesOptions) {
    this.#options = options;
  }

  open(nonce: string, exchange: Exchange<I>, now: number): void {
    const { probesMax = PROBES_MAX } = this.#options;
    if (this.#open.size >= probesMax) return exchange.endWith([Type.retry, 0, RETRY_MS]);
    const token = this.#options.newId();
    this.#open.set(token, { exchange, until: now + this.#options.probeMs });
    exchange.holder = { handleLeft: () => void this.#open.delete(token) };
    exchange.openBody();
    exchange.write(sharedLine(encodeFrame([Type.probed, nonce, token])).ndjson);
  }

  /** The token has come up: it is good once. */
  echo(token: string, exchange: Exchange<I>): void {
    const probe = this.#open.get(token);
    if (probe === undefined) {
      return exchange.endWith([Type.goaway, 'transport_unavailable', 'the token is unknown, or was used before', 0]);
    }
    this.#end(token, probe, [Type.echo]);
    exchange.endWith([Type.echo]);
  }

  nextTimeout(): number {
    for (const { until } of this.#open.values()) return until;
    return Number.POSITIVE_INFINITY;
  }

  handleTimeout(now: number): void {
    for (const [token, probe] of this.#open) {
      if (probe.until > now) return;
      this.#end(token, probe);
    }
  }

  endAll(): void {
    for (const [token, probe] of this.#open) this.#end(token, probe);
  }

  #end(token: string, { exchange }: Probe<I>, ...last: [] | [readonly [12]]): void {
    this.#open.delete(token);
    for (const frame of [...last, [Type.end] as const]) exchange.write(sharedLine(encodeFrame(frame)).ndjson);
    exchange.endBody();
  }
}
