/** The body of an answered POST as a link (PROTOCOL §6.4). */
import type { Identity, LinkPort, ServerLink } from '@runnel/protocol';
import type { Handshake } from '../handshake.ts';
import type { SharedLine } from '../shared-line.ts';
import { CONGESTED_BYTES, type Edge, FLOODED_BYTES } from './edge.ts';
import type { Exchange, ExchangeHolder } from './exchange.ts';

interface StreamOptions<I extends Identity> {
  readonly exchange: Exchange<I>;
  /** What is kept of its request. */
  readonly opening: Handshake;
}

export class StreamPort<I extends Identity> implements LinkPort<SharedLine>, ExchangeHolder<I> {
  readonly #edge: Edge<I>;
  readonly #exchange: Exchange<I>;
  readonly #opening: Handshake;
  readonly link: ServerLink<SharedLine, I>;

  /** Begins the body. `exchange` is open. */
  constructor(edge: Edge<I>, { exchange, opening }: StreamOptions<I>, now: number) {
    this.#edge = edge;
    this.#exchange = exchange;
    this.#opening = opening;
    this.link = edge.registry.connect(this, now);
    exchange.holder = this;
    exchange.openBody();
  }

  get transport(): 'stream' {
    return 'stream';
  }

  get congested(): boolean {
    return this.#exchange.unsentBytes >= CONGESTED_BYTES;
  }

  write(lines: readonly SharedLine[]): void {
    const [first] = lines;
    if (first === undefined) return;
    this.#exchange.write(lines.length === 1 ? first.ndjson : this.#edge.joinLines(lines));
    if (this.#exchange.unsentBytes > FLOODED_BYTES) this.#exchange.destroy();
  }

  handleLeft(): void {
    this.#edge.turn((now) => this.link.handleClosed(now));
    // A session that is over keeps nothing.
    if (this.link.session?.ended === null) this.#opening.release();
  }

  handleDrained(): void {
    this.link.handleDrain();
  }

  end(): void {
    this.#exchange.endBody();
  }
}
