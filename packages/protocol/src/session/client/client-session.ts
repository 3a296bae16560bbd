/**
 * A session as the client lives it (PROTOCOL §7): the face of it, and the reader of what comes down.
 *
 * What happens outside comes in by a `handle*` method, with the time; what is to be done goes out by `takeEffects`. Each input is an event for
 * `Linkage`, which holds everything that carries the session; then `steer` compares what is with what should be, and acts on the difference.
 */
import { codeOfClose, RunnelError, verdictOf } from '../../errors.ts';
import {
  type AppDownFrame,
  type DownFrame,
  isCounted,
  type Transport,
  Type,
  type WelcomeLimits,
} from '../../wire/frames.ts';
import { readDown } from '../../wire/read-down.ts';
import type { Ledger, Line } from '../ledger.ts';
import { clipReason } from '../reason.ts';
import type { CarrierSet } from './carrier-set.ts';
import type { Carrier } from './carriers.ts';
import { Linkage } from './linkage.ts';
import type { ClientApp, ClientSessionOptions, ConnectionState, SessionState } from './ports.ts';
import { nextTimeout, steer } from './steering.ts';

/** How a carrier ended: `ok` for an HTTP answer that came whole; `code` a WebSocket close code or an HTTP status. */
export interface CarrierEnd {
  readonly ok: boolean;
  readonly code?: number;
  /** What the runtime says of it, where there is no code. */
  readonly reason?: string | undefined;
}

export class ClientSession {
  readonly #app: ClientApp;
  readonly #linkage: Linkage;
  /** When that was last compared with what should be. */
  #steeredAt = Number.NEGATIVE_INFINITY;
  /** The request that has to bring the goodbye up, set by `close`; null where it went another way, or again. */
  #goodbye: Carrier | null = null;

  constructor(options: ClientSessionOptions) {
    this.#app = options.app;
    this.#linkage = new Linkage(options);
  }

  // ——— what can be asked ———

  /** Whether there is a session, so that counted frames are taken. */
  get ready(): boolean {
    return this.sid !== null && this.#running;
  }
  get state(): ConnectionState {
    return this.#linkage.report.state;
  }
  get roundTripMs(): number | null {
    return this.#linkage.roundTrip.ms;
  }
  get limits(): WelcomeLimits | null {
    return this.#linkage.identity.limits;
  }
  /** Whether what may be lost had better wait: a link is about to take over, the first one included, or a POST is under way. */
  get holdsLoose(): boolean {
    const { attaching, recovery, uplink } = this.#linkage;
    const first = this.sid === null && recovery.failures === 0;
    return this.#running && (first || attaching.pending !== null || uplink.busy);
  }
  /** Our public name, as in `meta.by`. */
  get client(): string | null {
    return this.#linkage.identity.client;
  }
  /** Counted frames sent and taken, resumed attaches and attaches sent, since the start. */
  get counts(): Readonly<{ framesUp: number; framesDown: number; resumes: number; attaches: number }> {
    return this.#linkage.report.counts;
  }
  /** For tests and the simulator: the numbers that the invariants are about. */
  get ledger(): Ledger<Line> {
    return this.#linkage.incarnation.ledger;
  }
  get sid(): string | null {
    return this.#linkage.identity.sid;
  }
  get gen(): number {
    return this.#linkage.identity.gen;
  }
  get carrierCount(): number {
    return this.#linkage.carriers.size;
  }
  get transport(): Transport | null {
    return this.#linkage.path.transport;
  }

  /** Between `start` and the end of the session, whoever brings that about. */
  get #running(): boolean {
    const { status } = this.state;
    return status !== 'idle' && status !== 'closed';
  }

  // ——— what can be wanted ———

  start(now: number): void {
    if (this.state.status !== 'idle') return;
    this.#linkage.recovery.wake(now);
    this.#steer(now, true);
  }

  /** Ends the session for good: what was counted goes up if it can, then the goodbye. */
  close(now: number, reason = 'closed by the client'): void {
    if (this.state.status === 'closed') return;
    this.#goodbye = this.#sayGoodbye(reason, now);
    this.#linkage.finish('closed', reason, this.#goodbye);
  }

  #sayGoodbye(reason: string, now: number): Carrier | null {
    const { path, attaching, choice } = this.#linkage;
    return path.finish(clipReason(reason), attaching.pending?.carrier ?? null, !choice.onlyWebSocket, now);
  }

  /** Ends here without a word to the server, for another object to `resume` the session. */
  handOver(): SessionState {
    const { identity, incarnation } = this.#linkage;
    const state = { identity: identity.state, incarnation: incarnation.state };
    this.#linkage.finish('closed', 'handed over');
    return state;
  }

  /** Allows only `transport` from now on, or with 'auto' what the options say; switches as soon as it is proven. */
  use(transport: Transport | 'auto', now: number): void {
    this.#linkage.choice.use(transport);
    this.#reconsider(now);
    this.#steer(now);
  }

  /** Takes counted frames; `flush` sends them. False, and none taken: there is no session yet, or the outbox is full. */
  send(lines: readonly Line[]): boolean {
    if (!this.ready || this.#linkage.incarnation.isFull(lines)) return false;
    for (const line of lines) this.#linkage.incarnation.ledger.enqueue(line);
    this.#linkage.report.counts.framesUp += lines.length;
    return true;
  }

  /** Takes a frame that may be lost; `flush` sends it. False: it was. */
  sendLoose(line: Line): boolean {
    return this.#linkage.path.sendLoose(line);
  }

  /** Sends what was taken, as far as the link takes it. */
  flush(now: number): void {
    this.#steer(now);
  }

  /** Something says that the world may have changed: back online, visible again, the clock has jumped. */
  wake(now: number): void {
    this.#reconsider(now);
    this.#linkage.recovery.wake(now);
    this.#linkage.attaching.hasten();
    this.#linkage.path.doubt(now);
    this.#steer(now);
  }

  /**
   * Whether this page may not hold an HTTP connection open, for others hold too many already (PROTOCOL §7.9). A stream gives way to polls at once, and polls
   * to short ones with pauses between; nothing is lost by it, and what goes up and its answer are not later for it. WebSockets do not count.
   */
  handleScarcity(scarce: boolean, now: number): void {
    const { choice, poller } = this.#linkage;
    if (choice.scarce === scarce) return;
    choice.scarce = scarce;
    poller.setScarce(scarce);
    this.#steer(now);
  }

  /** What was learned of the network may not hold any more. */
  #reconsider(now: number): void {
    this.#linkage.candidates.reset(now);
    this.#linkage.poller.forgetHold();
    this.#linkage.uplink.forget();
    this.#linkage.path.idleCut.forget();
  }

  // ——— what happens ———

  /** Credentials, whether they were asked for or refreshed in band: every later attach carries them. */
  handleCredentials(auth: unknown, now: number): void {
    this.#linkage.credentials.handle(auth, this.gen);
    this.#steer(now);
  }

  handleCredentialsFailed(reason: string, now: number): void {
    if (this.#linkage.credentials.state !== 'awaited') return;
    this.#linkage.credentials.fail();
    this.#linkage.recovery.backOff(`credentials: ${reason}`, now);
    this.#steer(now);
  }

  handleOpen(id: number, now: number): void {
    const carrier = this.#linkage.carriers.get(id);
    if (carrier?.kind !== 'websocket') return;
    carrier.heardAt = now;
    const nothingToLose =
      this.#linkage.recovery.due && this.#linkage.attaching.pending === null && this.#linkage.path.link === null;
    this.#linkage.candidates.handleOpen(carrier, nothingToLose && !this.#linkage.choice.allows('poll'), now);
    this.#steer(now);
  }

  /** Bytes have come, but no whole line yet. */
  handleActivity(id: number, now: number): void {
    const carrier = this.#linkage.carriers.get(id);
    if (carrier !== undefined) this.#linkage.heard(carrier, 0, now);
  }

  handleLine(id: number, text: string, now: number): void {
    const carrier = this.#linkage.carriers.get(id);
    if (carrier === undefined || !this.#running) return;
    this.#linkage.heard(carrier, text.length, now);
    let frame: DownFrame | null = null;
    try {
      frame = readDown(text);
    } catch (error) {
      if (!RunnelError.is(error)) throw error;
      // PROTOCOL §7.4: what cannot be read means attach; a proxy's page is not our server's word. What becomes of a POST its status says.
      if (carrier.kind !== 'post') this.#linkage.fail(carrier, `unreadable: ${error.message}`, now);
    }
    if (frame !== null) this.#receive(carrier, frame, text.length, now);
    this.#steer(now);
  }

  handleEnd(id: number, end: CarrierEnd, now: number): void {
    const carrier = this.#linkage.carriers.get(id);
    if (carrier === undefined) return;
    this.#linkage.carriers.forget(carrier);
    const { state } = this;
    if (state.status === 'closed' && carrier === this.#goodbye && !end.ok && end.code === undefined) {
      // A connection that was kept may have been dead already.
      this.#goodbye = null;
      this.#sayGoodbye(state.reason, now);
    }
    if (!this.#running) return;
    const whole =
      carrier.kind === 'poll' ? carrier.ended : carrier.kind === 'post' ? carrier.answered : carrier.kind === 'echo';
    const code = end.code === undefined || carrier.kind !== 'websocket' ? null : codeOfClose(end.code);
    const isAttach = this.#linkage.attaching.isOn(carrier);
    // An answer that is over and brought no welcome to adopt has failed the attach, however whole it was.
    if (whole && !isAttach) this.#linkage.poller.handleEnd(carrier, now);
    else if (code !== null && verdictOf(code) === 'fatal' && (isAttach || carrier === this.#linkage.path.link))
      this.#linkage.finish(code, 'closed by the server');
    else
      this.#linkage.fail(
        carrier,
        code ??
          (end.code !== undefined
            ? `closed with ${end.code}`
            : end.reason
              ? `the connection broke: ${end.reason}`
              : 'the connection broke'),
        now,
        end.code === 413,
      );
    this.#steer(now);
  }

  nextTimeout(): number {
    return this.#running ? nextTimeout(this.#linkage, this.#steeredAt) : Number.POSITIVE_INFINITY;
  }

  handleTimeout(now: number): void {
    this.#steer(now);
  }

  takeEffects(): ReturnType<CarrierSet['takeEffects']> {
    return this.#linkage.carriers.takeEffects();
  }

  #steer(now: number, starting = false): void {
    if (!this.#running && !starting) return;
    this.#steeredAt = now;
    steer(this.#linkage, now);
  }

  // ——— reading ———

  #receive(carrier: Carrier, frame: DownFrame, size: number, now: number): void {
    const linkage = this.#linkage;
    const { candidates, identity, path, poller } = linkage;
    if (isCounted(frame[0])) return this.#take(carrier, frame, size, now);
    switch (frame[0]) {
      case Type.welcome:
        return linkage.handleWelcome(carrier, frame[1], now);
      case Type.ping:
        if (carrier === path.link) linkage.told(frame[2], now);
        return path.pong(carrier, frame[1]);
      case Type.pong:
        return linkage.handlePong(carrier, frame[2], now);
      case Type.ack:
        return path.isDown(carrier) ? linkage.told(frame[1], now) : undefined;
      case Type.goaway:
        return linkage.handleGoaway(carrier, frame, now);
      case Type.refresh:
      case Type.volatile:
        return path.isDown(carrier) ? this.#app.frame(frame as AppDownFrame) : undefined;
      case Type.probed:
        return carrier.kind === 'probe' ? candidates.handleProbed(carrier, frame[1], frame[2], now) : undefined;
      case Type.echo:
        return carrier.kind === 'probe' ? candidates.handleEcho(carrier, now) : undefined;
      case Type.fenced:
        // PROTOCOL §7.7
        if (frame[1] > this.gen) return linkage.startAnew('another client holds our key', now);
        return linkage.refused(carrier, 'superseded', now);
      case Type.poll:
        if (carrier.kind !== 'poll' || !poller.has(carrier)) return;
        if (poller.handleAnswer(carrier, frame[1], this.sid)) return linkage.told(frame[1].rx, now);
        return linkage.fail(carrier, 'an answer to another poll', now);
      case Type.post:
        if (carrier.kind !== 'post' || carrier.gen !== frame[1].gen || frame[1].sid !== this.sid) return;
        linkage.uplink.handleAnswer(carrier, now);
        if (carrier.gen === identity.adoptedGen) linkage.told(frame[1].rx, now);
        return;
      case Type.end:
        if (carrier.kind === 'poll') carrier.ended = true;
        return;
      case Type.reattach:
        return linkage.refused(carrier, 'the server asked for an attach', now);
      case Type.retry:
        return linkage.refused(carrier, 'overloaded', now, frame[2]);
    }
  }

  /** PROTOCOL §7.3 */
  #take(carrier: Carrier, frame: DownFrame, size: number, now: number): void {
    if (!('sid' in carrier) || carrier.sid === null || carrier.sid !== this.sid) return;
    const n = carrier.next;
    carrier.next += 1;
    const { rx } = this.#linkage.incarnation.ledger;
    if (n < rx) return;
    if (n > rx) return this.#linkage.fail(carrier, `frame ${n} came where ${rx} was due`, now);
    let whole: AppDownFrame | null;
    try {
      whole = this.#linkage.incarnation.take(frame, size);
    } catch (error) {
      if (!RunnelError.is(error)) throw error;
      // It is counted, and will not be sent again: what it was part of is lost, and every frame after it would fail too.
      return this.#linkage.startAnew(`unreadable: ${error.message}`, now);
    }
    this.#linkage.report.counts.framesDown += 1;
    if (this.#linkage.incarnation.ackDue) this.#linkage.path.acknowledge();
    if (whole !== null) this.#app.frame(whole);
  }
}
