/**
 * A session as the client lives it (PROTOCOL §7).
 *
 * What happens outside comes in by a `handle*` method, with the time; what is to be done goes out by `takeEffects`. After each input
 * `#steer` compares what is with what should be and acts on the difference, so no decision hangs on the order in which things happened:
 *
 *   - `Path` carries the session; nothing does while its `link` is null.
 *   - `Attaching` is the attach under way; only the last one sent may be adopted.
 *   - `Recovery` says that the session needs another link, whatever carries it: gone, suspect, or not trusted any more.
 *   - `Candidates` are the other transports that are tried, and when.
 */
import { codeOfClose, RunnelError, verdictOf } from '../../errors.ts';
import { DEFAULT_LIMITS } from '../../limits.ts';
import {
  type AppDownFrame,
  type DownFrame,
  isCounted,
  TRANSPORTS,
  type Transport,
  Type,
  type Welcome,
  type WelcomeLimits,
} from '../../wire/frames.ts';
import { readDown } from '../../wire/read-down.ts';
import type { Ledger, Line } from '../ledger.ts';
import { clipReason } from '../reason.ts';
import { Attaching } from './attaching.ts';
import { Candidates } from './candidates.ts';
import { CarrierSet } from './carrier-set.ts';
import type { Carrier, Poll, Socket, Stream } from './carriers.ts';
import { Credentials } from './credentials.ts';
import { Identity } from './identity.ts';
import { Incarnation } from './incarnation.ts';
import { RoundTrip } from './liveness.ts';
import { Path, SILENT_KEPT_MS } from './path.ts';
import { Poller } from './poller.ts';
import type { ClientApp, ClientSessionOptions, ConnectionState } from './ports.ts';
import { Recovery } from './recovery.ts';
import { Uplink } from './uplink.ts';

/** A link that lived less did not really work: the next attempt backs off. */
const WORKED_MS = 1_000;
/** A transport whose link lived less counts as one that the network does not bear. */
const BORNE_MS = 3_000;

/** How a carrier ended: `ok` for an HTTP answer that came whole; `code` a WebSocket close code or an HTTP status. */
export interface CarrierEnd {
  readonly ok: boolean;
  readonly code?: number;
}

export class ClientSession {
  readonly #options: ClientSessionOptions;
  readonly #app: ClientApp;
  readonly #carriers = new CarrierSet();
  readonly #roundTrip = new RoundTrip();
  readonly #incarnation = new Incarnation();
  readonly #attaching = new Attaching(this.#carriers, this.#roundTrip);
  readonly #poller = new Poller(this.#carriers, this.#roundTrip);
  readonly #uplink = new Uplink(this.#carriers, this.#roundTrip, DEFAULT_LIMITS);
  readonly #identity: Identity;
  readonly #path: Path;
  readonly #recovery: Recovery;
  readonly #candidates: Candidates;
  readonly #credentials: Credentials;
  /** Transports that `use` and the options allow. */
  #wanted: readonly Transport[];
  #phase: 'idle' | 'running' | 'closed' = 'idle';
  /** When `#steer` last ran. */
  #steeredAt = Number.NEGATIVE_INFINITY;
  /** What the application was told last, and whether the link adopted last resumed. */
  #state: ConnectionState = { status: 'idle' };
  #resumed = false;
  #counts = { framesUp: 0, framesDown: 0, resumes: 0, attaches: 0 };

  constructor(options: ClientSessionOptions) {
    this.#options = options;
    this.#app = options.app;
    this.#wanted = options.transports;
    this.#identity = new Identity(options.newId);
    this.#recovery = new Recovery(options.random);
    this.#credentials = new Credentials(options.hasCredentials);
    this.#path = new Path({
      carriers: this.#carriers,
      roundTrip: this.#roundTrip,
      identity: this.#identity,
      incarnation: this.#incarnation,
      poller: this.#poller,
      uplink: this.#uplink,
    });
    this.#candidates = new Candidates({
      carriers: this.#carriers,
      roundTrip: this.#roundTrip,
      random: options.random,
      newId: options.newId,
      attempt: (attempt) => this.#app.attempt(attempt),
    });
  }

  // ——— what can be asked ———

  /** Whether there is a session, so that counted frames are taken. */
  get ready(): boolean {
    return this.sid !== null && this.#phase === 'running';
  }
  get state(): ConnectionState {
    return this.#state;
  }
  get roundTripMs(): number | null {
    return this.#roundTrip.ms;
  }
  get limits(): WelcomeLimits | null {
    return this.#identity.limits;
  }
  /** Our public name, as in `meta.by`. */
  get client(): string | null {
    return this.#identity.client;
  }
  /** Counted frames sent and taken, resumed attaches and attaches sent, since the start. */
  get counts(): Readonly<{ framesUp: number; framesDown: number; resumes: number; attaches: number }> {
    return this.#counts;
  }
  /** For tests and the simulator: the numbers that the invariants are about. */
  get ledger(): Ledger<Line> {
    return this.#incarnation.ledger;
  }
  get sid(): string | null {
    return this.#identity.sid;
  }
  get gen(): number {
    return this.#identity.gen;
  }
  get carrierCount(): number {
    return this.#carriers.size;
  }
  get transport(): Transport | null {
    return this.#path.transport;
  }

  // ——— what can be wanted ———

  start(now: number): void {
    if (this.#phase !== 'idle') return;
    this.#phase = 'running';
    this.#steer(now);
  }

  /** Ends the session for good: what was counted goes up if it can, then the goodbye. */
  close(now: number, reason = 'closed by the client'): void {
    if (this.#phase !== 'closed') this.#finish('closed', reason, this.#path.finish(clipReason(reason), now));
  }

  /** Allows only `transport` from now on, or with 'auto' what the options say; switches as soon as it is proven. */
  use(transport: Transport | 'auto', now: number): void {
    this.#wanted = transport === 'auto' ? this.#options.transports : [transport];
    this.#reconsider(now);
    this.#steer(now);
  }

  /** Sends counted frames. False, and nothing sent: there is no session yet, or the outbox is full. */
  send(lines: readonly Line[], now: number): boolean {
    if (!this.ready || this.#incarnation.isFull(lines)) return false;
    for (const line of lines) this.ledger.enqueue(line);
    this.#counts.framesUp += lines.length;
    this.#steer(now);
    return true;
  }

  /** Sends a frame that may be lost. False: it was. */
  sendLoose(line: Line, now: number): boolean {
    const taken = this.#path.sendLoose(line);
    this.#steer(now);
    return taken;
  }

  /** Something says that the world may have changed: back online, visible again, the clock has jumped. */
  wake(now: number): void {
    this.#reconsider(now);
    this.#recovery.hasten(now);
    this.#path.ping(now);
    this.#steer(now);
  }

  /** What was learned of the network may not hold any more. */
  #reconsider(now: number): void {
    this.#candidates.reset(now);
    this.#poller.forgetHold();
  }

  // ——— what happens ———

  handleCredentials(auth: unknown, now: number): void {
    if (this.#credentials.state !== 'awaited') return;
    this.#credentials.handle(auth);
    this.#steer(now);
  }

  handleCredentialsFailed(reason: string, now: number): void {
    if (this.#credentials.state !== 'awaited') return;
    this.#credentials.fail();
    this.#recovery.backOff(`credentials: ${reason}`, 0, now);
    this.#steer(now);
  }

  handleOpen(id: number, now: number): void {
    const carrier = this.#carriers.get(id);
    if (carrier?.kind !== 'websocket') return;
    carrier.heardAt = now;
    const nothingToLose = this.#recovery.due && this.#attaching.pending === null && this.#path.link === null;
    this.#candidates.handleOpen(carrier, nothingToLose && !this.#allows('poll'), now);
    this.#steer(now);
  }

  /** Bytes have come, but no whole line yet. */
  handleActivity(id: number, now: number): void {
    const carrier = this.#carriers.get(id);
    if (carrier !== undefined) this.#heard(carrier, now);
  }

  handleLine(id: number, text: string, now: number): void {
    const carrier = this.#carriers.get(id);
    if (carrier === undefined || this.#phase !== 'running') return;
    this.#heard(carrier, now);
    let frame: DownFrame | null = null;
    try {
      frame = readDown(text);
    } catch (error) {
      if (!RunnelError.is(error)) throw error;
      // PROTOCOL §7.4: what cannot be read means attach; a proxy's page is not our server's word.
      this.#fail(carrier, `unreadable: ${error.message}`, now);
    }
    if (frame !== null) this.#receive(carrier, frame, text.length, now);
    this.#steer(now);
  }

  handleEnd(id: number, end: CarrierEnd, now: number): void {
    const carrier = this.#carriers.get(id);
    if (carrier === undefined) return;
    this.#carriers.forget(carrier);
    if (this.#phase !== 'running') return;
    const whole =
      carrier.kind === 'poll' ? carrier.ended : carrier.kind === 'post' ? carrier.answered : carrier.kind === 'echo';
    const code = end.code === undefined || carrier.kind !== 'websocket' ? null : codeOfClose(end.code);
    // An answer that is over and brought no welcome to adopt has failed the attach, however whole it was.
    if (whole && !this.#attaching.isOn(carrier)) this.#poller.handleEnd(carrier);
    else if (
      code !== null &&
      verdictOf(code) === 'fatal' &&
      (carrier === this.#path.link || this.#attaching.isOn(carrier))
    ) {
      this.#finish(code, 'closed by the server');
    } else this.#fail(carrier, end.code === undefined ? 'the connection broke' : `closed with ${end.code}`, now);
    this.#steer(now);
  }

  nextTimeout(): number {
    if (this.#phase !== 'running') return Number.POSITIVE_INFINITY;
    const deadlines = [
      ...this.#path.deadlines(),
      this.#candidates.nextTimeout(),
      this.#attaching.nextTimeout(this.#steeredAt),
    ];
    if (this.#recovery.due) deadlines.push(this.#recovery.retryAt);
    // What was due when we last steered has been seen to, or waits for something else.
    return deadlines.reduce((next, at) => (at > this.#steeredAt && at < next ? at : next), Number.POSITIVE_INFINITY);
  }

  handleTimeout(now: number): void {
    this.#steer(now);
  }

  takeEffects(): ReturnType<CarrierSet['takeEffects']> {
    return this.#carriers.takeEffects();
  }

  // ——— reading ———

  #heard(carrier: Carrier, now: number): void {
    carrier.heardAt = now;
    if (!this.#path.isDown(carrier)) {
      if (carrier.kind === 'websocket') this.#candidates.handleLife(carrier, now);
      return;
    }
    this.#path.heard(now);
    if (!this.#path.isSuspect) return;
    if (this.gen === this.#identity.adoptedGen) {
      // It was only slow.
      this.#path.trust();
      this.#recovery.done();
    } else if (carrier.kind === 'websocket' && !this.#attaching.isOn(carrier)) {
      // PROTOCOL §10.8: the server was asked to attach elsewhere meanwhile, and an attach is never undone.
      this.#path.trust();
      this.#attach('websocket', carrier, now);
    }
  }

  #receive(carrier: Carrier, frame: DownFrame, size: number, now: number): void {
    if (isCounted(frame[0])) return this.#take(carrier, frame, size, now);
    switch (frame[0]) {
      case Type.welcome:
        return this.#handleWelcome(carrier, frame[1], now);
      case Type.ping:
        if (carrier === this.#path.link) this.#told(frame[2], now);
        return this.#path.pong(carrier, frame[1]);
      case Type.pong:
        return this.#handlePong(carrier, frame[2], now);
      case Type.ack:
        return this.#path.isDown(carrier) ? this.#told(frame[1], now) : undefined;
      case Type.goaway:
        return this.#handleGoaway(carrier, frame[1], frame[2], frame[3], now);
      case Type.refresh:
      case Type.volatile:
        return this.#path.isDown(carrier) ? this.#app.frame(frame as AppDownFrame) : undefined;
      case Type.probed:
        return carrier.kind === 'probe' ? this.#candidates.handleProbed(carrier, frame[1], frame[2], now) : undefined;
      case Type.echo:
        return carrier.kind === 'probe' ? this.#candidates.handleEcho(carrier, now) : undefined;
      case Type.fenced:
        // PROTOCOL §7.7
        if (frame[1] > this.gen) return this.#startAnew('another client holds our key', now);
        return this.#refused(carrier, 'fenced', 0, now);
      case Type.poll:
        if (carrier.kind !== 'poll' || !this.#poller.has(carrier)) return;
        if (this.#poller.handleAnswer(carrier, frame[1], this.sid)) return this.#told(frame[1].rx, now);
        return this.#fail(carrier, 'an answer to another poll', now);
      case Type.post:
        if (carrier.kind !== 'post' || carrier.gen !== frame[1].gen || frame[1].sid !== this.sid) return;
        this.#uplink.handleAnswer(carrier, now);
        if (carrier.gen === this.#identity.adoptedGen) this.#told(frame[1].rx, now);
        return;
      case Type.end:
        if (carrier.kind === 'poll') carrier.ended = true;
        return;
      case Type.reattach:
        return this.#refused(carrier, 'the server asked for an attach', 0, now);
      case Type.retry:
        return this.#refused(carrier, 'the server asked to retry', frame[2], now);
    }
  }

  /** PROTOCOL §7.3 */
  #take(carrier: Carrier, frame: DownFrame, size: number, now: number): void {
    if (!('sid' in carrier) || carrier.sid === null || carrier.sid !== this.sid) return;
    const n = carrier.next;
    carrier.next += 1;
    const { rx } = this.ledger;
    if (n < rx) return;
    if (n > rx) return this.#fail(carrier, `frame ${n} came where ${rx} was due`, now);
    let whole: AppDownFrame | null;
    try {
      whole = this.#incarnation.take(frame, size);
    } catch (error) {
      if (!RunnelError.is(error)) throw error;
      // It is counted, and will not be sent again: what it was part of is lost, and every frame after it would fail too.
      return this.#startAnew(`unreadable: ${error.message}`, now);
    }
    this.#counts.framesDown += 1;
    if (this.#incarnation.ackDue) this.#path.acknowledge();
    if (whole !== null) this.#app.frame(whole);
  }

  /** PROTOCOL §7.6: the server's `rx`, heard where it counts. */
  #told(rx: number | undefined, now: number): void {
    if (rx === undefined) return;
    if (rx > this.ledger.tx) return this.#startAnew('the server claims frames that were never sent', now);
    this.ledger.acknowledge(rx);
    this.#path.told(now);
  }

  #handlePong(carrier: Carrier, rx: number | undefined, now: number): void {
    if (!this.#path.isDown(carrier)) return;
    const tookMs = this.#path.ponged(now);
    if (tookMs !== null) this.#roundTrip.sample(tookMs);
    this.#told(rx, now);
    // PROTOCOL §4.1: a pong without `rx` comes from a link that the server does not hold for the current one.
    if (rx === undefined && carrier === this.#path.socket && this.#path.mayNumber)
      this.#distrust('the server knows another link', 0, now);
  }

  // ——— attach ———

  /** PROTOCOL §7.2, §7.4 */
  #handleWelcome(carrier: Carrier, welcome: Welcome, now: number): void {
    if (carrier.kind !== 'websocket' && carrier.kind !== 'stream' && carrier.kind !== 'poll') return;
    const { sid, ledger } = this;
    const known = welcome.sid === sid;
    carrier.sid = known ? sid : null;
    carrier.next = welcome.base;
    if (!this.#attaching.isOn(carrier) || welcome.gen !== this.gen) return;
    if (sid !== null && !known && (welcome.resumed || welcome.was !== sid))
      return this.#attachFailed('a welcome to another session', 0, now);
    if (known ? !ledger.isPossible(welcome.rx) : welcome.rx > 0) {
      return this.#startAnew(`the server's rx ${welcome.rx} cannot be (${ledger.acked}…${ledger.tx})`, now);
    }
    const subs = this.#attaching.pending?.subs ?? [];
    this.#logAttach('');
    if (sid !== null && !known) this.#incarnationOver();
    this.#adopt(carrier, welcome, now);
    this.#app.attached(known ? null : subs);
  }

  #adopt(carrier: Socket | Stream | Poll, welcome: Welcome, now: number): void {
    this.#attaching.take();
    const fresh = this.#identity.adopt(welcome);
    if (fresh) this.#incarnation.begin(welcome.limits);
    else this.#counts.resumes += 1;
    this.#resumed = !fresh;
    this.#credentials.accept();
    this.ledger.acknowledge(welcome.rx);
    const { websocket } = this.#candidates;
    const keep = (socket: Socket, until: number): void => this.#candidates.keep(socket, until);
    this.#path.adopt(carrier, welcome, this.#allows('websocket') ? keep : null, now);
    this.#recovery.done();
    if (carrier.kind === 'websocket') {
      this.#candidates.handOver(carrier);
      websocket.reset(now);
    }
    // PROTOCOL §4.3: a new incarnation is provisional until it hears from us.
    if (fresh) this.#path.acknowledge();
    // An outage is no verdict: what was never tried in vain is tried at once.
    if (websocket.failures === 0) websocket.defer(now);
  }

  #attach(mode: Transport, socket: Socket | null, now: number): void {
    this.#overtakePending(now);
    this.#counts.attaches += 1;
    // Beside a living link loss is excluded; otherwise the attach carries what a new incarnation needs.
    const subs = this.#identity.subs(() => this.#app.subs(), this.#path.link !== null && !this.#recovery.due);
    const text = this.#identity.attach({ mode, rx: this.ledger.rx, auth: this.#credentials.auth, subs });
    if (socket !== null) this.#candidates.handleAttach(socket);
    else if (mode === 'stream') this.#candidates.handOver('stream');
    this.#attaching.send({ gen: this.gen, mode, socket, text, subs, failures: this.#recovery.failures }, now);
    // No ping goes up while it is awaited: it has to ask for a sign of life itself.
    if (socket !== null && socket === this.#path.link) this.#path.asked(text.length, now);
  }

  /** Only the last attach sent counts: the one before is given up. A socket may still prove useful. */
  #overtakePending(now: number): void {
    const overtaken = this.#attaching.take()?.carrier;
    if (overtaken === undefined || overtaken === this.#path.link) return;
    if (overtaken.kind === 'websocket') this.#candidates.keep(overtaken, now + SILENT_KEPT_MS);
    else this.#carriers.drop(overtaken, 'overtaken');
  }

  /** The attach under way will not be answered as hoped. The server asked to be left alone for `pauseMs`. */
  #attachFailed(reason: string, pauseMs: number, now: number): void {
    this.#logAttach(reason, now);
    const carrier = this.#attaching.take()?.carrier;
    if (carrier === undefined) return;
    if (carrier !== this.#path.link) {
      this.#carriers.drop(carrier, reason);
      if (carrier.kind === 'websocket') this.#candidates.handOver(carrier);
      if (carrier.kind !== 'poll') this.#candidates.verdict(carrier.kind, now);
    }
    // The server may have taken it all the same: only another attach makes that certain (PROTOCOL §7.4).
    this.#recovery.backOff(reason, pauseMs, now);
    // Beside a living link the first failure is put right at once.
    if (this.#path.link !== null && !this.#path.isSuspect && this.#recovery.failures === 1) this.#recovery.hasten(now);
  }

  #logAttach(reason: string, now: number = this.#attaching.pending?.carrier.heardAt ?? 0): void {
    const { pending } = this.#attaching;
    if (pending === null) return;
    const { sentAt: at, carrier } = pending;
    this.#app.attempt({
      at,
      transport: carrier.kind,
      step: 'attach',
      outcome: reason === '' ? 'ok' : 'failed',
      tookMs: now - at,
      reason,
    });
  }

  // ——— trouble ———

  /** A carrier broke, ended early, or brought what it must not. */
  #fail(carrier: Carrier, reason: string, now: number): void {
    this.#carriers.drop(carrier, reason);
    const isCurrent = carrier === this.#path.link;
    if (this.#attaching.isOn(carrier)) this.#attachFailed(reason, 0, now);
    if (isCurrent) this.#lose(reason, now);
    else if (this.#poller.has(carrier)) {
      if (!this.#poller.handleCut(carrier, now)) this.#lose(reason, now);
    } else if (carrier.kind === 'post') {
      if (carrier.gen === this.#identity.adoptedGen && !this.#uplink.handleFailure(carrier))
        this.#distrust(reason, 0, now);
    } else if (this.#candidates.has(carrier)) {
      this.#candidates.fail(carrier, reason, now);
      // Where nothing else may be tried, this was the attempt to attach.
      if (
        carrier.kind === 'websocket' &&
        this.#path.link === null &&
        this.#attaching.pending === null &&
        !this.#allows('poll') &&
        !this.#allows('stream')
      ) {
        this.#recovery.backOff(reason, 0, now);
      }
    }
  }

  /** The current link is gone. */
  #lose(reason: string, now: number): void {
    const { transport, adoptedAt } = this.#path;
    if (transport === null) return;
    const tookMs = now - adoptedAt;
    this.#distrust(reason, 0, now);
    this.#path.lose(reason);
    this.#app.attempt({ at: adoptedAt, transport, step: 'live', outcome: 'failed', tookMs, reason });
    if (transport === 'poll') return;
    if (tookMs >= BORNE_MS) this.#candidates[transport].reset(now);
    else this.#candidates[transport].failed(now);
  }

  /** The session needs another link. At once if the last one worked, else after a growing pause. An attach under way is waited for. */
  #distrust(reason: string, pauseMs: number, now: number): void {
    if (this.#recovery.due || this.#attaching.pending !== null) return;
    if (now - this.#path.adoptedAt >= WORKED_MS && pauseMs === 0) this.#recovery.want(reason, now);
    else this.#recovery.backOff(reason, pauseMs, now);
  }

  /** An attach, poll or POST was answered `reattach` or `retry`, or fenced. */
  #refused(carrier: Carrier, reason: string, pauseMs: number, now: number): void {
    if (this.#attaching.isOn(carrier)) return this.#attachFailed(reason, pauseMs, now);
    if (!this.#isOurs(carrier)) return;
    if (carrier.kind === 'post') carrier.answered = true;
    else if (carrier.kind === 'poll') this.#poller.handleRefusal(carrier);
    this.#distrust(reason, pauseMs, now);
  }

  /** Whether what the carrier brings concerns the session as it is carried now. */
  #isOurs(carrier: Carrier): boolean {
    return this.#path.isDown(carrier) || (carrier.kind === 'post' && carrier.gen === this.#identity.adoptedGen);
  }

  #handleGoaway(carrier: Carrier, code: string, reason: string, retryMs: number, now: number): void {
    const attaching = this.#attaching.isOn(carrier);
    if (!attaching && !this.#isOurs(carrier)) return this.#fail(carrier, code, now);
    const verdict = verdictOf(code);
    if (verdict === 'fatal') return this.#finish(code, reason);
    // A stream that ends because our own attach has taken its place: that attach will be answered, or will be found out.
    if (code === 'superseded' && carrier.kind === 'stream' && !attaching && this.#attaching.pending !== null) {
      return this.#carriers.drop(carrier, code);
    }
    const isCurrent = !attaching || carrier === this.#path.link;
    if (verdict === 'refresh') {
      if (!this.#credentials.refuse()) return this.#finish(code, reason);
      // What is under way carries the same credentials.
      if (!attaching) this.#overtakePending(now);
    }
    const pauseMs = verdict === 'backoff' ? retryMs * this.#options.random() : 0;
    if (attaching) this.#attachFailed(code, pauseMs, now);
    else this.#distrust(code, pauseMs, now);
    if (isCurrent) this.#lose(code, now);
    this.#carriers.drop(carrier, code);
    if (verdict === 'refresh' && this.#recovery.failures <= 1) this.#recovery.hasten(now);
  }

  /** The incarnation is over (PROTOCOL §7.8): counters start again, and nothing that carried it counts any more. */
  #incarnationOver(): void {
    this.#incarnation.over();
    this.#app.lost();
  }

  /** Nobody could continue this session: a new client, as it were. */
  #startAnew(reason: string, now: number): void {
    this.#lose(reason, now);
    this.#carriers.dropAll(reason);
    this.#candidates.clear();
    this.#attaching.take();
    this.#identity.startAnew();
    this.#incarnationOver();
    this.#recovery.backOff(reason, 0, now);
  }

  #finish(code: string, reason: string, last: Carrier | null = null): void {
    this.#phase = 'closed';
    this.#carriers.dropAll(reason, last);
    this.#candidates.clear();
    this.#attaching.take();
    this.#path.lose(reason, last);
    this.#setState({ status: 'closed', code, reason });
  }

  // ——— steering ———

  #steer(now: number): void {
    if (this.#phase !== 'running') return;
    this.#steeredAt = now;
    this.#checkPath(now);
    if (now >= this.#attaching.deadline) {
      this.#attachFailed('no answer in time', 0, now);
      // It was waited for long enough.
      this.#recovery.hasten(now);
    }
    if (this.#askCredentials(now)) {
      this.#tryCandidates(now);
      this.#attachWhereDue(now);
      const wanted = !this.#recovery.due || (now < this.#recovery.retryAt && this.#attaching.pending === null);
      if (this.#path.link === 'poll' && this.#poller.idle && wanted)
        this.#poller.ask(this.#identity, this.#incarnation.tellRx(), now);
    }
    this.#path.sendUp(now);
    this.#report(now);
  }

  /** Is the path alive? PROTOCOL §10.8. */
  #checkPath(now: number): void {
    const verdict = this.#path.check(now);
    if (verdict === 'silent') this.#lose('silent', now);
    else if (verdict === 'suspect') {
      this.#path.suspect(now);
      this.#recovery.want('silent', now);
    }
    if (this.#uplink.giveUpOverdue(now)) this.#distrust('a POST was not answered', 0, now);
  }

  /** Whether credentials are known, or not wanted. Asks for them when they are due. */
  #askCredentials(now: number): boolean {
    if (this.#credentials.state === 'needed' && now >= this.#recovery.retryAt) {
      this.#credentials.await();
      this.#carriers.effect({ type: 'credentials', refresh: this.#credentials.refused });
    }
    return this.#credentials.state === 'known';
  }

  #tryCandidates(now: number): void {
    const { link, isSuspect } = this.#path;
    const needed = this.#recovery.due || link === null;
    const websocketAllowed = this.#allows('websocket');
    const only = websocketAllowed && !this.#allows('stream') && !this.#allows('poll');
    this.#candidates.steer(
      {
        websocket: websocketAllowed && (needed ? this.#recovery.mayAttach(now) : this.#isBetter('websocket')),
        stream: !needed && this.#isBetter('stream'),
        linked: link !== null && !isSuspect,
        websocketAllowed,
        retryAt: only && link === null ? this.#recovery.retryAt : null,
      },
      now,
    );
  }

  #attachWhereDue(now: number): void {
    const best = this.#candidates.best();
    const mode = best === null || best === 'stream' ? best : best.kind;
    const proven = mode !== null && this.#allows(mode);
    const { pending } = this.#attaching;
    let take = false;
    if (pending !== null) take = proven && now >= pending.suspectAt;
    else if (this.#recovery.due) {
      take = proven && this.#recovery.mayAttach(now);
      if (!take && now >= this.#recovery.retryAt) return this.#rescue(now);
    } else {
      take = proven && this.#isBetter(mode);
      if (!take && this.#isBetter('poll')) return this.#attach('poll', null, now);
    }
    if (take && mode !== null) this.#attach(mode, best === 'stream' ? null : best, now);
  }

  /** No way has proven itself: the one that cannot be blocked by a buffer, or whatever is allowed. */
  #rescue(now: number): void {
    const { socket, isSuspect } = this.#path;
    if (socket !== null && !isSuspect && this.#allows('websocket')) this.#attach('websocket', socket, now);
    else if (this.#allows('poll')) this.#attach('poll', null, now);
    else if (this.#allows('stream')) this.#attach('stream', null, now);
    // Otherwise a WebSocket is being opened, and is attached when it is open.
  }

  // ——— small questions ———

  /** Whether it is wanted and the server has it. Where these exclude each other, what the server has is used. */
  #allows(transport: Transport): boolean {
    const { offered } = this.#identity;
    const has = (one: Transport): boolean => offered === null || offered.includes(one);
    const allowed = [this.#wanted, this.#options.transports].find((wish) => wish.some(has)) ?? offered;
    return has(transport) && allowed?.includes(transport) === true;
  }

  /** Whether the session would rather be carried by `transport` than by what carries it. */
  #isBetter(transport: Transport): boolean {
    const mode = this.transport;
    if (!this.#allows(transport) || mode === null || mode === transport)
      return this.#allows(transport) && mode === null;
    return !this.#allows(mode) || TRANSPORTS.indexOf(transport) < TRANSPORTS.indexOf(mode);
  }

  #report(now: number): void {
    const { transport } = this;
    const attempt = this.#recovery.failures + 1;
    if (transport !== null) {
      const since = this.#state.status === 'open' && this.#state.transport === transport ? this.#state.since : now;
      this.#setState({ status: 'open', transport, since, resumed: this.#resumed });
    } else if (this.sid === null) this.#setState({ status: 'connecting', attempt });
    else
      this.#setState({
        status: 'reconnecting',
        reason: this.#recovery.reason,
        attempt,
        retryAt: this.#recovery.retryAt,
      });
  }

  #setState(state: ConnectionState): void {
    const old = this.#state;
    this.#state = state;
    if (JSON.stringify(old) !== JSON.stringify(state)) this.#app.state(state);
  }
}
