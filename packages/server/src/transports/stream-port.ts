/** The body of an answered POST as a link (PROTOCOL §6.4). */
import type { Identity, LinkPort, ServerLink } from '@runnel/protocol';
import type { SharedLine } from '../shared-line.ts';
import { CONGESTED_BYTES, type Edge, FLOODED_BYTES } from './edge.ts';
import type { Exchange } from './exchange.ts';

export class StreamPort<I extends Identity> implements LinkPort<SharedLine> {
  readonly transport = 'stream';
  readonly #edge: Edge<I>;
  readonly #exchange: Exchange<I>;
  readonly link: ServerLink<SharedLine, I>;

  /** Begins the body. `exchange` is open. */
  constructor(edge: Edge<I>, exchange: Exchange<I>, now: number) {
    this.#edge = edge;
    this.#exchange = exchange;
    this.link = edge.registry.connect(this, now);
    exchange.onClosed = () => edge.turn((then) => this.link.handleClosed(then));
    exchange.onDrain = () => this.link.handleDrain();
    exchange.openBody();
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

  end(): void {
    this.#exchange.endBody();
  }
}
