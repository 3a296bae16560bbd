/**
 * One incarnation of a session at the server (PROTOCOL §8). It counts, keeps, and hands out frames over whatever carries it now: a
 * `ServerLink`, or held requests (`PollSide`), or nothing for as long as its time to live allows. Who may attach is the registry's business.
 */
import { type AppUpFrame, isCounted, type Transport, Type, type UpFrame } from '../../wire/frames.ts';
import { ackLine } from '../../wire/write.ts';
import type { Owner } from '../deadlines.ts';
import { Ledger, type Line } from '../ledger.ts';
import { DrainWaiters } from './drain-waiters.ts';
import { Intake } from './intake.ts';
import { LooseLines } from './loose-lines.ts';
import { ParkedLinks } from './parked-links.ts';
import { PollSide } from './poll-side.ts';
import type { Identity } from './ports.ts';
import { Reach } from './reach.ts';
import type { ServerLink } from './server-link.ts';
import {
  type AttachOutcome,
  CREATED,
  NamedSession,
  recordOf,
  type ServerSessionOptions,
  type SessionRecord,
} from './session-record.ts';
import type { SessionRegistry } from './session-registry.ts';

export class ServerSession<L extends Line, I extends Identity> extends NamedSession<I> implements Owner {
  readonly ledger: Ledger<L> = new Ledger<L>();
  /** What is not counted and waits for the next write; null: nothing does. */
  loose: LooseLines<L> | null = null;
  readonly #registry: SessionRegistry<L, I>;
  /** What its client was not told of yet; null where that is nothing. */
  #intake: Intake | null = null;
  /** When it is given up, unless its client is heard of after its welcome; null since that was. */
  #provisionalUntil: number | null;
  /** How requests carry it, or what its client says; null where none has come since a WebSocket does. */
  #polls: PollSide<L, I> | null = null;
  /** Null while a link carries it. */
  #reach: Reach | null;

  /** Generation, transport and outcome of the attach accepted last. */
  gen = 0;
  mode: Transport = 'poll';
  outcome: AttachOutcome = CREATED;
  /** The link that carries it; null while polls do, or nothing. */
  link: ServerLink<L, I> | null = null;
  place = -1;
  /** Whether it waits to be flushed; maintained by the registry. */
  isDirty = false;
  /** What the application, and the doors, keep of it; theirs alone. */
  app: object | null = null;
  opening: object | null = null;

  /** Made with the first link that is superseded. */
  #parked: ParkedLinks<L, I> | null = null;
  /** Why it ended; null while it lives. */
  #ended: string | null = null;
  /** Made with the first. */
  #drainWaiters: DrainWaiters | null = null;
  /** Takes what is sent to a session that another node has by now; null while this one has it, and when it is over. */
  #relay: ((line: L) => void) | null = null;

  constructor(registry: SessionRegistry<L, I>, options: ServerSessionOptions<I>, now: number) {
    super(options);
    this.#registry = registry;
    const { from } = options;
    this.#provisionalUntil = from?.confirmed ? null : now + registry.limits.provisionalMs;
    if (from !== undefined) {
      this.ledger.restore({ ...from, lines: from.lines.map((text) => registry.options.line(text)) });
      this.#intake = Intake.restored(from.slices, registry.limits);
      this.gen = from.gen;
    }
    this.#reach = new Reach(now);
  }

  /** Its resume key. Requests show it each time, so who takes them remembers it. */
  get key(): string {
    return this.foreignKey ?? this.#polls?.key ?? this.#registry.options.issueKey(this.sid);
  }

  get polls(): PollSide<L, I> {
    this.#polls ??= new PollSide(this.#registry, this);
    return this.#polls;
  }

  get ended(): string | null {
    return this.#ended;
  }
  /** Whether its client was heard of after its welcome. */
  get confirmed(): boolean {
    return this.#provisionalUntil === null;
  }
  /** Whether its client is there, as far as is known. */
  get isReachable(): boolean {
    return this.#reach?.isReachable ?? true;
  }
  /** Whether a link carries it, or polls do. */
  get reachable(): boolean {
    return this.link !== null || this.#polls?.isHeld === true;
  }

  /** PROTOCOL §8.10: what is sent now would only wait. */
  get slow(): boolean {
    // What is relayed waits elsewhere.
    if (this.#ended !== null) return false;
    const { outboxBytes, outboxFrames } = this.#registry.limits;
    if (this.ledger.bytes * 2 > outboxBytes || this.ledger.count * 2 > outboxFrames) return true;
    return this.link === null ? !this.isReachable : this.link.port.congested;
  }

  // ——— down ———

  /**
   * Calls `run` once, at the end of the turn in which the session is slow no more; never, if it ends before that. Who waits again from within `run` is called
   * again in the same turn, unless the session is slow by then. Returns what calls it off.
   */
  whenDrained(run: () => void): () => void {
    if (!this.slow) this.touch();
    this.#drainWaiters ??= new DrainWaiters();
    return this.#drainWaiters.add(run);
  }

  /** Sends a counted frame: the one place that counts (PROTOCOL §8.5). Written at the end of the turn. */
  enqueue(line: L): void {
    if (this.#ended !== null) return this.#relay?.(line);
    this.ledger.enqueue(line);
    const { outboxBytes, outboxFrames } = this.#registry.limits;
    if (this.ledger.bytes > outboxBytes || this.ledger.count > outboxFrames) this.#overflow();
    this.touch();
  }

  /** Sends a frame that may be lost. */
  sendLoose(line: L): void {
    if (this.#ended !== null || (this.link === null && this.mode !== 'poll')) return;
    this.loose ??= new LooseLines();
    this.loose.push(line, this.#registry.limits.volatileBytes);
    this.touch();
  }

  /** Welcomes, answers a ping, or acknowledges, with the next write. */
  say(word: L): void {
    this.loose ??= new LooseLines();
    this.loose.say(word);
    this.touch();
  }

  /** What is not counted, about to be written. */
  takeLoose(): L[] {
    const lines = this.loose?.take() ?? [];
    this.loose = null;
    return lines;
  }

  /** There may be something to write at the end of the turn. */
  touch(): void {
    this.#registry.markDirty(this);
  }

  /** Writes what waits, as far as the carrier takes it. */
  flush(now: number): void {
    if (this.#ended !== null) return;
    if (this.link !== null) this.#pump(this.link);
    else this.#polls?.flush(now);
    if (this.#drainWaiters?.isEmpty === false) this.#drainWaiters.tell(() => this.slow);
  }

  #pump(link: ServerLink<L, I>): void {
    const { port } = link;
    const { batchBytes } = this.#registry.limits;
    // Another carrier has brought what this one, being congested, has not: the frames of its next numbers are gone.
    if (link.next < this.ledger.ob) {
      this.detach(this.#registry.options.now());
      return link.end('slow_consumer', 'another link was faster');
    }
    while (!port.congested && (this.loose !== null || link.next < this.ledger.tx)) {
      const counted = this.ledger.slice(link.next, batchBytes);
      link.next += counted.length;
      const lines = this.loose === null ? counted : [...this.takeLoose(), ...counted];
      // Beside what goes down anyway it costs nothing, and the client need not ask whether its frames have come.
      if (this.#intake?.isUntold) lines.unshift(this.#registry.options.line(ackLine(this.tellRx())));
      port.write(lines);
    }
  }

  /** PROTOCOL §8.6. What a draining link can still take goes out first; a link that would lose its place has to go. */
  #overflow(): void {
    const { link } = this;
    if (link !== null) this.#pump(link);
    const cutOff = link !== null && link.next < this.ledger.tx;
    this.ledger.drop();
    this.#registry.options.app.overflowed?.(this);
    const now = this.#registry.options.now();
    if (cutOff) {
      this.detach(now);
      link.end('slow_consumer', 'the client did not drain what was sent');
    }
    this.#polls?.end([this.#registry.encode([Type.reattach, this.gen])], now);
  }

  // ——— up ———

  /** A frame from the current carrier that is not a header. */
  handleFrame(frame: UpFrame, size: number, now: number): void {
    if (this.#ended !== null) return;
    this.confirm();
    if (isCounted(frame[0])) return this.#take(frame, size);
    switch (frame[0]) {
      case Type.ping:
        if (frame[2] !== undefined && !this.acknowledge(frame[2], now)) return;
        return this.say(this.#registry.encode([Type.pong, frame[1], this.tellRx()]));
      case Type.pong:
        if (frame[2] !== undefined) this.acknowledge(frame[2], now);
        return;
      case Type.ack:
        this.acknowledge(frame[1], now);
        return;
      case Type.goaway:
        return this.dissolve('closed', now);
      case Type.volatile:
        return this.#registry.options.app.frame(this, frame as AppUpFrame);
    }
  }

  /** Counts one frame that came in order, and hands it on (PROTOCOL §5). */
  #take(frame: UpFrame, size: number): void {
    this.ledger.take();
    const { limits } = this.#registry;
    const intake = this.#intake ?? new Intake();
    this.#intake = intake;
    intake.note(size);
    const whole = intake.whole(frame, limits);
    if (this.link !== null && intake.isDue(limits)) this.say(this.#registry.options.line(ackLine(this.tellRx())));
    if (whole !== null) this.#registry.options.app.frame(this, whole as AppUpFrame);
  }

  /** The client has taken `rx` frames. False, and the end of the session, where that cannot be. */
  acknowledge(rx: number, now: number): boolean {
    if (rx > this.ledger.tx) {
      this.end('protocol_error', `rx ${rx} acknowledges frames that were never sent (${this.ledger.tx})`, now);
      return false;
    }
    if (this.ledger.acknowledge(rx) && this.#drainWaiters !== null) this.touch();
    return true;
  }

  /** Our `rx`, about to be told. */
  tellRx(): number {
    this.#intake = this.#intake?.told() ?? null;
    return this.ledger.rx;
  }

  /** A poll or POST of its generation has come. */
  handleRequested(now: number): void {
    this.#reach?.requested(now);
    this.confirm();
  }

  // ——— carriers ———

  /** The attach of generation `gen` takes over from whatever carried the session (PROTOCOL §8.3). */
  supersede(gen: number, mode: Transport, now: number): void {
    this.#polls?.supersede(now);
    if (mode === 'websocket') this.#polls = null;
    this.gen = gen;
    this.mode = mode;
    this.loose?.forgetWords();
    if (this.loose?.isEmpty) this.loose = null;
    this.supersedeLink(now);
  }

  /** The link that carries it makes way for another carrier in this same turn. */
  supersedeLink(now: number): void {
    const old = this.link;
    if (old === null) return;
    this.link = null;
    this.handleLetGo(now);
    old.supersede(now);
    if (old.closed) return;
    this.#parked ??= new ParkedLinks();
    this.#parked.park(old);
  }

  /** Is carried by `link` from here on. */
  bindLink(link: ServerLink<L, I>): void {
    this.link = link;
    this.#parked?.take(link);
    this.handleCarried();
  }

  /** The subscriptions that the attach asked for are answered. The application says so in its own time. */
  settle(): void {
    this.#polls?.settle(this.#registry.options.now());
  }

  /** The current link is gone; the session waits for the next. */
  detach(now: number): void {
    this.link = null;
    this.handleLetGo(now);
    if (this.#ended === null) this.#gone();
  }

  /** Something carries it. */
  handleCarried(): void {
    const isBack = this.#reach?.carried() === true;
    if (this.link !== null) this.#reach = null;
    if (isBack) this.#registry.options.app.reachable(this, true);
    this.#registry.reschedule(this);
    if (this.#drainWaiters !== null) this.touch();
  }

  /** Nothing carries it, be it for a moment. */
  handleLetGo(now: number): void {
    if (this.#ended !== null) return;
    this.#reach ??= new Reach(now);
    this.#reach.letGo(now);
    this.#registry.reschedule(this);
  }

  #gone(): void {
    if (this.#reach?.gone()) this.#registry.options.app.reachable(this, false);
  }

  // ——— life ———

  /** PROTOCOL §8.8: the client was heard of after its welcome, and a provisional session becomes a real one. */
  confirm(): void {
    if (this.confirmed || this.#ended !== null) return;
    this.#provisionalUntil = null;
    this.#registry.reschedule(this);
    this.#registry.options.app.confirmed(this);
  }

  deadline(): number {
    if (this.#ended !== null) return Number.POSITIVE_INFINITY;
    const never = Number.POSITIVE_INFINITY;
    const overAt = this.#reach?.dueAt(this.#registry.limits.ttlMs) ?? never;
    return Math.min(this.#provisionalUntil ?? never, this.#polls?.until ?? never, overAt);
  }

  wake(now: number): void {
    if (this.#provisionalUntil !== null && now >= this.#provisionalUntil) {
      this.end('session_lost', 'the client was not heard of after its welcome', now);
    } else if (this.#polls !== null && now >= this.#polls.until) this.#polls.answer(now);
    else if (this.#reach?.isOver(now, this.#registry.limits.ttlMs)) this.dissolve('session_lost', now);
    else if (this.#reach?.isGone(now)) this.#gone();
  }

  /** Ends the session and says so on whatever carries it. */
  end(code: string, reason: string, now: number, retryMs = 0): void {
    if (this.#ended !== null) return;
    const { link } = this;
    if (link !== null) {
      this.#pump(link);
      this.link = null;
      link.end(code, reason, retryMs);
    }
    this.#polls?.farewell(this.#registry.goaway(this, code, reason, retryMs), now);
    this.dissolve(code, now);
  }

  /** Another node has it from here on (PROTOCOL §12.2), where the attach of generation `gen` was accepted. `relay` is given what is still sent to it here. */
  handOver(gen: number, relay: (line: L) => void, now: number): SessionRecord {
    const record = recordOf(this, this.#intake?.slices ?? '');
    this.#polls?.end([this.#registry.encode([Type.fenced, gen])], now);
    this.#depart('superseded', now);
    this.#relay = relay;
    this.#drainWaiters?.tell(() => false);
    return record;
  }

  /** Nothing is sent to it here any more: what was relayed goes nowhere from here on. */
  endRelay(): void {
    this.#relay = null;
  }

  /** Ends the session where the client knows already, or cannot be told: another incarnation replaces it, or its time is up. */
  dissolve(code: string, now: number): void {
    if (this.#ended !== null) return;
    this.#polls?.end([this.#registry.goaway(this, code, 'the session has ended')], now);
    this.#depart(code, now);
    this.#drainWaiters?.clear();
    this.#registry.options.app.ended(this, code);
  }

  /** Is no session of this node any more. */
  #depart(code: string, now: number): void {
    this.#ended = code;
    const { link } = this;
    this.link = null;
    link?.supersede(now);
    this.ledger.drop();
    this.loose = null;
    this.#parked?.clear();
    this.#registry.remove(this);
  }
}
