/**
 * A reader without the SDK (PROTOCOL §11): a session like any other, whose client half is here. It reads the lines that the session writes, hands them on as
 * events, and says upwards what a client would: what it has taken once that has drained, and that it lives.
 *
 *     asked ──► open ──► over
 *       └─────────────────►
 *
 * *asked*: the subscription is not answered, and so is the request. *open*: the answer has begun. *over*: it was refused, or has ended.
 */
import {
  type DownFrame,
  type Identity,
  isCounted,
  type LinkPort,
  type Position,
  RunnelError,
  type ServerLink,
  type Subscribed,
  Type,
} from '@runnel/protocol';
import type { SharedLine } from '../shared-line.ts';
import { CONGESTED_BYTES, type Edge } from './edge.ts';
import { eventBlock, type FeedItem, FeedLines, HEARTBEAT, retryBlock } from './event-block.ts';
import { type EventQuery, eventId } from './event-query.ts';
import type { Exchange } from './exchange.ts';

/** What readers are told to wait before they connect again, ms. */
const RECONNECT_MS = 2_000;
/** The longest time that is understood everywhere, ms. Who is told so does not come back. */
const NEVER_MS = 2 ** 31 - 1;

export interface EventReaderOptions<I extends Identity> {
  readonly edge: Edge<I>;
  /** It is open. */
  readonly exchange: Exchange<I>;
  readonly query: EventQuery;
  /** Answers a request whose subscription cannot be. */
  readonly refuse: (error: RunnelError, retryMs: number) => void;
}

/** Why it is over. */
interface Ending {
  readonly code: string;
  readonly reason: string;
  readonly retryMs: number;
}

export class EventReader<I extends Identity> implements LinkPort<SharedLine> {
  readonly transport = 'stream';
  readonly link: ServerLink<SharedLine, I>;
  readonly #options: EventReaderOptions<I>;
  readonly #lines: FeedLines;
  #state: 'asked' | 'open' | 'over' = 'asked';
  /** Where it stands in the channel's log; set by `subscribed`. */
  #position: Position = { epoch: '', offset: 0 };
  #events: readonly string[] = [];
  /** Id of the subscribe that was sent last, and whether it was answered: what comes before the answer is of no use. */
  #subscribeId = 1;
  #subscribed = false;
  /** Whether a subscribe waits to be sent. */
  #subscribeDue = false;
  /** Counted frames taken, and how many of them were acknowledged. */
  #rx = 0;
  #acked = 0;
  /** The ping that waits for an answer; null: none does. */
  #ping: number | null = null;
  /** What goes out with the next write. */
  #blocks: Buffer[] = [];
  /** Bytes written, and how many of them had left us when a ping was last answered. */
  #written = 0;
  #left = 0;
  /** What the session said of its end, before it ended the link. */
  #ending: Ending | null = null;
  /** Whether `#speak` is about to run. */
  #speechDue = false;

  constructor(options: EventReaderOptions<I>, now: number) {
    const { edge, exchange } = options;
    this.#options = options;
    this.#lines = new FeedLines(edge.limits.messageBytes + edge.limits.lineBytes);
    exchange.holder = {
      handleLeft: () => edge.turn((then) => this.#handleClosed(then)),
      handleDrained: () => this.#handleDrain(),
    };
    this.link = edge.registry.connect(this, now);
  }

  // ——— down ———

  get congested(): boolean {
    return this.#options.exchange.unsentBytes >= CONGESTED_BYTES;
  }

  write(lines: readonly SharedLine[]): void {
    for (const line of lines) {
      if (this.#state === 'over') return;
      this.#take(this.#lines.read(line, { epoch: this.#position.epoch, events: this.#events }));
    }
    this.#flush();
    this.#say();
  }

  /** The session has ended, or was never begun. */
  end(code: string, reason: string): void {
    this.#finish(this.#ending ?? { code, reason, retryMs: 0 });
  }

  #take(item: FeedItem): void {
    if (item === 'part') {
      this.#rx += 1;
    } else if ('frame' in item) {
      if (item.frame === null) return;
      if (isCounted(item.frame[0])) this.#rx += 1;
      this.#handleFrame(item.frame);
    } else if (item.place === null) {
      if (this.#subscribed) this.#blocks.push(item.block);
    } else {
      this.#rx += 1;
      this.#handleMessage(item.block, item.place);
    }
  }

  #handleMessage(block: Buffer, { offset, prev }: { readonly offset: number; readonly prev: number }): void {
    if (this.#moves(offset, prev)) this.#blocks.push(block);
  }

  /** Goes on to `offset`; false where it was there before, or something between `prev` and here is missing, which the history may have (PROTOCOL §5.16). */
  #moves(offset: number, prev: number): boolean {
    const { epoch, offset: here } = this.#position;
    if (!this.#subscribed || offset <= here) return false;
    if (prev > here) {
      this.#subscribed = false;
      this.#subscribeId += 1;
      this.#subscribeDue = true;
      return false;
    }
    this.#position = { epoch, offset };
    return true;
  }

  #handleFrame(frame: DownFrame): void {
    switch (frame[0]) {
      case Type.subscribed:
        if (frame[1] === this.#subscribeId) this.#handleSubscribed(frame[2]);
        return;
      case Type.skipped: {
        const [, , from, to] = frame;
        if (this.#moves(to, from - 1)) this.#blocks.push(eventBlock('$skipped', { from, to }, eventId(this.#position)));
        return;
      }
      case Type.snapshot:
        if (this.#subscribed) this.#blocks.push(eventBlock('$snapshot', frame[2]));
        return;
      case Type.error:
        if (frame[1] !== this.#subscribeId) return;
        return this.#finish({ code: frame[2], reason: frame[3], retryMs: 0 });
      case Type.revoked:
        return this.#finish({ code: frame[2], reason: frame[3], retryMs: 0 });
      case Type.ping:
        this.#ping = frame[1];
        if (this.#state === 'open') this.#blocks.push(HEARTBEAT);
        return;
      case Type.goaway:
        this.#ending = { code: frame[1], reason: frame[2], retryMs: frame[3] };
        return;
    }
  }

  #handleSubscribed({ epoch, offset, head, recovered, events }: Subscribed): void {
    this.#subscribed = true;
    this.#events = events;
    this.#position = { epoch, offset };
    if (this.#state === 'asked') {
      this.#state = 'open';
      this.#options.exchange.openBody('text/event-stream');
      const { channel } = this.#options.query;
      const told = { channel, offset, head, recovered };
      this.#blocks.push(retryBlock(RECONNECT_MS), eventBlock('$subscribed', told, eventId(this.#position)));
    }
    if (recovered === false) this.#blocks.push(eventBlock('$gap', { reason: 'positionLost' }));
  }

  /** Answers with the refusal, or ends the body with the reason; at once where nobody reads it. */
  #finish({ code, reason, retryMs }: Ending): void {
    const state = this.#state;
    this.#state = 'over';
    if (state === 'asked') this.#options.refuse(new RunnelError(code, reason), retryMs);
    if (state === 'open' && this.congested) this.#options.exchange.destroy();
    else if (state === 'open') {
      this.#blocks.push(eventBlock('$closed', { code, reason }));
      // A kicked client does not come back by itself. Others do after a part of the time, so that they do not all come at once.
      if (code === 'kicked') this.#blocks.push(retryBlock(NEVER_MS));
      else if (retryMs > 0) this.#blocks.push(retryBlock(Math.ceil(Math.random() * retryMs)));
      this.#flush();
      this.#options.exchange.endBody();
    }
    this.#say();
  }

  #flush(): void {
    const [first] = this.#blocks;
    if (first === undefined) return;
    const bytes = this.#blocks.length === 1 ? first : Buffer.concat(this.#blocks);
    this.#blocks = [];
    this.#written += bytes.length;
    this.#options.exchange.write(bytes);
  }

  // ——— up ———

  /** Says what there is to say when the server's turn is over: it is not to be spoken to while it writes. */
  #say(): void {
    if (this.#speechDue) return;
    this.#speechDue = true;
    queueMicrotask(() => {
      this.#speechDue = false;
      this.#options.edge.turn((now) => this.#speak(now));
    });
  }

  #speak(now: number): void {
    if (this.#state === 'over') return this.#leave(now);
    // Its client is heard of, and the session counts, from the moment it is answered.
    if (this.#state === 'asked') return;
    if (this.#subscribeDue) {
      this.#subscribeDue = false;
      const { channel } = this.#options.query;
      this.link.handleFrame([Type.subscribe, this.#subscribeId, channel, { since: this.#position }], 0, now);
    }
    if (this.#acked < this.#rx && !this.congested) {
      this.#acked = this.#rx;
      this.link.handleFrame([Type.ack, this.#rx], 0, now);
    }
    const left = this.#written - this.#options.exchange.unsentBytes;
    // As long as something leaves us somebody reads. A reader that does not is silent, like any other client (PROTOCOL §4).
    if (this.#ping !== null && (left > this.#left || left >= this.#written)) {
      const t = this.#ping;
      this.#ping = null;
      this.#left = left;
      this.link.handleFrame([Type.pong, t], 0, now);
    }
  }

  #handleDrain(): void {
    this.link.handleDrain();
    this.#say();
  }

  #handleClosed(now: number): void {
    this.#state = 'over';
    this.#leave(now);
  }

  /** The session ends with its reader: there is nobody who could resume it. */
  #leave(now: number): void {
    this.link.session?.end(this.#ending?.code ?? 'closed', 'the reader has gone', now);
    this.link.handleClosed(now);
  }
}
