/**
 * What a session leaves at the node that it is taken from, until the node that took it needs it no more (PROTOCOL §12.2): the answers of handlers that run on,
 * the order of publishes that wait for them, and the live messages of channels without a log.
 */
import type { Identity, Position, ServerSession } from '@runnel/protocol';
import type { AppSession } from '../app-session.ts';
import type { Broker, BrokerListener, LogEntry } from '../brokers/broker.ts';
import type { SharedLine } from '../shared-line.ts';
import type { Predecessor } from '../subscription.ts';
import type { Timing } from '../timing.ts';

/** Messages kept of one channel; a session that takes longer than that to arrive has a gap, and is told. */
const MESSAGES_MAX = 1_024;
/** How long they are kept after they were asked for, ms: a session may go on to another node before it has them. */
const ASKED_AGAIN_MS = 5_000;

export interface EstateOptions {
  readonly broker: Broker;
  readonly clock: Timing;
  /** To the node that has the session: frames to count and send, and which calls are still unanswered after them. */
  readonly sendLines: (lines: readonly string[], open: readonly number[]) => void;
  /** The session is present at the node that has it: what it left here may go. */
  readonly arrived: () => void;
}

export class SessionEstate<I extends Identity> {
  readonly #of: AppSession<I>;
  readonly #options: EstateOptions;
  /** By channel without a log: what knows of its messages after where the session stood. */
  readonly #echoes = new Map<string, ChannelEcho>();
  readonly #predecessors = new Map<string, Predecessor>();
  #lines: string[] = [];

  constructor(of: AppSession<I>, options: EstateOptions) {
    this.#of = of;
    this.#options = options;
  }

  /** Keeps what comes on a channel after `position`. */
  echo(channel: string, position: Position): void {
    this.#echoes.set(channel, new ChannelEcho(channel, position, this.#options));
  }

  /** Asks the node before for what came on a channel: the session has gone on before it had that. */
  pass(channel: string, predecessor: Predecessor): void {
    this.#predecessors.set(channel, predecessor);
  }

  /** What was sent to the session here. Lines of one turn travel together: between fragments of one frame nothing else may stand. */
  readonly relay = ({ text }: SharedLine): void => {
    if (this.#lines.push(text) === 1) queueMicrotask(() => this.#flush());
  };

  /** The messages of a channel after where the session stood, up to `until`; null where they cannot be had. */
  async messages(channel: string, until: Position, timeoutMs: number): Promise<readonly LogEntry[] | null> {
    const predecessor = this.#predecessors.get(channel);
    if (predecessor !== undefined) return predecessor(until);
    const echo = this.#echoes.get(channel);
    const entries = (await echo?.reach(until, timeoutMs)) ?? null;
    this.#options.clock.after(ASKED_AGAIN_MS, () => {
      echo?.end();
      this.#echoes.delete(channel);
    });
    return entries;
  }

  /** Resolves when the publishes to a channel that came here have been handled, and what they were answered is on its way. */
  async whenFree(channel: string): Promise<true> {
    await this.#of.whenFree(channel);
    this.#flush();
    return true;
  }

  /** A frame for a call that runs here: see `Application.callFrame`. */
  get of(): AppSession<I> {
    return this.#of;
  }

  /** The session is where it should be. */
  handleArrived(): void {
    this.#options.arrived();
  }

  /** Whatever runs on is told to stop: nobody hears of it any more. */
  end(session: ServerSession<SharedLine, I>): void {
    this.#of.end('session_lost');
    this.#flush();
    session.endRelay();
    this.#options.arrived();
    for (const echo of this.#echoes.values()) echo.end();
    this.#echoes.clear();
  }

  #flush(): void {
    const lines = this.#lines;
    if (lines.length === 0) return;
    this.#lines = [];
    this.#options.sendLines(
      lines,
      this.#of.calls.map(({ id }) => id),
    );
  }
}

/** Hears one channel on, for a session that is elsewhere and may not hear it yet. */
class ChannelEcho implements BrokerListener {
  readonly #channel: string;
  readonly #options: EstateOptions;
  readonly #epoch: string;
  /** Those heard above where the session stood, by rising offset and without a gap. */
  #entries: LogEntry[] = [];
  /** Offset up to which nothing is missing. */
  #head: number;
  /** Set by what cannot be made good: another epoch, a gap, too many messages. */
  #broken = false;
  #onHeard: () => void = () => {};

  constructor(channel: string, { epoch, offset }: Position, options: EstateOptions) {
    this.#channel = channel;
    this.#options = options;
    this.#epoch = epoch;
    this.#head = offset;
    options.broker.subscribe(channel, this).catch(() => {
      this.#broken = true;
    });
  }

  message(entry: LogEntry, epoch: string): void {
    if (epoch === this.#epoch && entry.offset <= this.#head) return;
    if (epoch !== this.#epoch || entry.prev > this.#head || this.#entries.length >= MESSAGES_MAX) this.#broken = true;
    else {
      this.#head = entry.offset;
      this.#entries.push(entry);
    }
    this.#onHeard();
  }

  volatile(): void {}

  async reach({ epoch, offset }: Position, timeoutMs: number): Promise<readonly LogEntry[] | null> {
    if (epoch !== this.#epoch) return null;
    if (this.#head < offset && !this.#broken) {
      await new Promise<void>((resolve) => {
        const cancelTimer = this.#options.clock.after(timeoutMs, resolve);
        this.#onHeard = () => {
          if (this.#head < offset && !this.#broken) return;
          cancelTimer();
          resolve();
        };
      });
    }
    return this.#head < offset ? null : this.#entries;
  }

  end(): void {
    this.#options.broker.unsubscribe(this.#channel, this);
  }
}
