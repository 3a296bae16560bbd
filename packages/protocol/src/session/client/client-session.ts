/**
 * A session as the client lives it (PROTOCOL §7): who we are, what was counted, which attach is under way, and what carries us now.
 *
 * What happens outside comes in by a `handle*` method, with the time; what is to be done goes out by `takeEffects`. After each input
 * `#steer` compares what is with what should be and acts on the difference, so no decision hangs on the order in which things happened:
 *
 *   - `#current` carries the session; null: nothing does.
 *   - `#pending` is the attach under way; only the last one sent may be adopted.
 *   - `#mustAttach` says that the session needs another link, whatever `#current` is: gone, suspect, or not trusted any more.
 *
 * Which other transports are tried, and when, is the part of `Candidates`; whether the path is alive of `Liveness`; POSTs of `Uplink`.
 */
import { closeCodeOf, codeOfClose, RunnelError, verdictOf } from '../../errors.ts';
import { DEFAULT_LIMITS } from '../../limits.ts';
import { FragmentJoiner } from '../../wire/fragments.ts';
import {
  type AppDownFrame,
  type AttachSub,
  type DownFrame,
  isCounted,
  type PollAnswer,
  PROTOCOL_VERSION,
  type Transport,
  TRANSPORTS,
  Type,
  type UpFrame,
  type Welcome,
  type WelcomeLimits,
} from '../../wire/frames.ts';
import { readDown } from '../../wire/read-down.ts';
import { encodeFrame } from '../../wire/write.ts';
import { Ledger, type Line } from '../ledger.ts';
import { Candidates } from './candidates.ts';
import { CarrierSet } from './carrier-set.ts';
import type { Carrier, PendingAttach, Poll, Socket, Stream } from './carriers.ts';
import { Liveness, RoundTrip } from './liveness.ts';
import type { ClientApp, ClientSessionOptions, ConnectionState, Effect } from './ports.ts';
import { attachPatienceMs, backoffMs } from './schedules.ts';
import { Uplink, type UplinkSession } from './uplink.ts';

/** A silent socket is kept this long beside its replacement: it may speak again. */
const SILENT_KEPT_MS = 8_000;
/** The very first attach waits longer: a cold path (DNS, TCP, TLS) has told nothing of itself. */
const FIRST_ATTACH_MS = 8_000;
/** A link that lived less did not really work: the next attempt backs off. */
const WORKED_MS = 1_000;
/** A WebSocket that lived less counts as one that the network does not bear. */
const BORNE_MS = 3_000;
/** What a poll that was cut teaches: the next ones are held for this part of the time it lasted, but at least the minimum. */
const HOLD_PART = 0.6;
const HOLD_MIN_MS = 300;
/** One WebSocket message holds about this much, so that a slow path keeps showing signs of life. */
const MESSAGE_BYTES = 16_384;

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
  readonly #candidates: Candidates;
  readonly #uplink: Uplink;

  // Who we are. `#sid` and `#key` are null until the first welcome of a `cid`.
  #cid: string;
  #key: string | null = null;
  #sid: string | null = null;
  #node = '';
  #client: string | null = null;
  #limits: WelcomeLimits | null = null;
  #heartbeatMs = DEFAULT_LIMITS.heartbeatMs;
  /** Generation of the last attach sent, and of the last welcome adopted. */
  #gen = 0;
  #adoptedGen = 0;
  /** What every attach before the first welcome asks to subscribe (PROTOCOL §7.5); null once there was one. */
  #firstSubs: readonly AttachSub[] | null = null;

  // What was counted, in this incarnation.
  #ledger = new Ledger<Line>();
  #joiner = new FragmentJoiner(Number.POSITIVE_INFINITY);
  /** Number of the next counted frame for the current socket. */
  #sent = 0;
  /** Taken since our `rx` was last told, in UTF-16 units. */
  #untold = 0;

  // What carries us.
  #allowed: readonly Transport[];
  #current: Socket | Stream | 'poll' | null = null;
  #pending: PendingAttach | null = null;
  /** The poll of the current generation that is under way; the attach itself until it has ended. */
  #poll: Poll | null = null;
  #pollN = 0;
  /** Learned bound on how long a poll is held; null: none. */
  #holdMs: number | null = null;
  #liveness: Liveness | null = null;
  /** Since when the current path is suspect; null while it is not. */
  #suspectSince: number | null = null;
  #adoptedAt = 0;

  // Getting (back) a link.
  #phase: 'idle' | 'running' | 'closed' = 'idle';
  #credentials: 'needed' | 'awaited' | 'known';
  #auth: unknown;
  /** How often in a row credentials were refused. */
  #refusals = 0;
  #mustAttach = true;
  #retryAt = 0;
  /** Attempts in a row that failed, or links that hardly lived. */
  #failures = 0;
  #reason = '';
  /** When `#steer` last ran. */
  #steeredAt = Number.NEGATIVE_INFINITY;
  #state: ConnectionState = { status: 'idle' };
  #resumed = false;
  #counts = { framesUp: 0, framesDown: 0, resumes: 0, attaches: 0 };

  constructor(options: ClientSessionOptions) {
    this.#options = options;
    this.#app = options.app;
    this.#cid = options.newId();
    this.#allowed = options.transports;
    this.#credentials = options.hasCredentials ? 'needed' : 'known';
    this.#uplink = new Uplink(this.#carriers, this.#roundTrip, DEFAULT_LIMITS);
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
    return this.#sid !== null && this.#phase === 'running';
  }
  get state(): ConnectionState {
    return this.#state;
  }
  get roundTripMs(): number | null {
    return this.#roundTrip.ms;
  }
  get limits(): WelcomeLimits | null {
    return this.#limits;
  }
  /** Our public name, as in `meta.by`. */
  get client(): string | null {
    return this.#client;
  }
  /** Counted frames sent and taken, resumed attaches and attaches sent, since the start. */
  get counts(): Readonly<{ framesUp: number; framesDown: number; resumes: number; attaches: number }> {
    return this.#counts;
  }
  /** For tests and the simulator: the numbers that the invariants are about. */
  get ledger(): Ledger<Line> {
    return this.#ledger;
  }
  get sid(): string | null {
    return this.#sid;
  }
  get gen(): number {
    return this.#gen;
  }
  get carrierCount(): number {
    return this.#carriers.size;
  }
  get transport(): Transport | null {
    return this.#current === null ? null : this.#current === 'poll' ? 'poll' : this.#current.kind;
  }

  // ——— what can be wanted ———

  start(now: number): void {
    if (this.#phase !== 'idle') return;
    this.#phase = 'running';
    this.#steer(now);
  }

  /** Ends the session for good: what was counted goes up if it can, then the goodbye. */
  close(now: number, reason = 'closed by the client'): void {
    if (this.#phase === 'closed') return;
    const goaway = this.#line([Type.goaway, 'closed', reason, 0]);
    let last: Carrier | null = null;
    if (this.#current !== null && this.#current !== 'poll' && this.#current.kind === 'websocket') {
      this.#pump(now);
      this.#carriers.send(this.#current, goaway.text);
    } else if (this.#current !== null) last = this.#uplink.finish(this.#uplinkSession(), goaway, now);
    this.#finish('closed', reason, last);
  }

  /** Allows only `transport` from now on, or with 'auto' what the options say; switches as soon as it is proven. */
  use(transport: Transport | 'auto', now: number): void {
    this.#allowed = transport === 'auto' ? this.#options.transports : [transport];
    this.#candidates.reset(now);
    this.#steer(now);
  }

  /** Sends counted frames. False, and nothing sent: there is no session yet, or the outbox is full. */
  send(lines: readonly Line[], now: number): boolean {
    if (!this.ready || this.#isFull(lines)) return false;
    for (const line of lines) this.#ledger.enqueue(line);
    this.#counts.framesUp += lines.length;
    this.#steer(now);
    return true;
  }

  #isFull(lines: readonly Line[]): boolean {
    const { outboxBytes } = this.#limits ?? DEFAULT_LIMITS;
    const bytes = lines.reduce((sum, line) => sum + line.size, this.#ledger.bytes);
    return bytes > outboxBytes || this.#ledger.tx - this.#ledger.ob + lines.length > DEFAULT_LIMITS.outboxFrames;
  }

  /** Sends a frame that may be lost. False: it was. */
  sendLoose(line: Line, now: number): boolean {
    if (this.#current === null || !this.#mayNumber()) return false;
    if (this.#current === 'poll' || this.#current.kind === 'stream') {
      this.#uplink.sendLoose(line);
      this.#steer(now);
    } else this.#carriers.send(this.#current, line.text);
    return true;
  }

  /** Something says that the world may have changed: back online, visible again, the clock has jumped. */
  wake(now: number): void {
    this.#candidates.reset(now);
    if (this.#mustAttach) this.#retryAt = Math.min(this.#retryAt, now);
    if (this.#current !== null && this.#liveness !== null) this.#ping(this.#liveness, now);
    this.#steer(now);
  }

  // ——— what happens ———

  handleCredentials(auth: unknown, now: number): void {
    if (this.#credentials !== 'awaited') return;
    this.#auth = auth;
    this.#credentials = 'known';
    this.#steer(now);
  }

  handleCredentialsFailed(reason: string, now: number): void {
    if (this.#credentials !== 'awaited') return;
    this.#credentials = 'needed';
    this.#backOff(`credentials: ${reason}`, 0, now);
    this.#steer(now);
  }

  handleOpen(id: number, now: number): void {
    const carrier = this.#carriers.get(id);
    if (carrier?.kind !== 'websocket') return;
    carrier.heardAt = now;
    const attachAtOnce = this.#mustAttach && this.#pending === null && this.#current === null && !this.#allows('poll');
    this.#candidates.handleOpen(carrier, attachAtOnce, now);
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
    try {
      const frame = readDown(text);
      if (frame !== null) this.#receive(carrier, frame, text.length, now);
    } catch (error) {
      if (!RunnelError.is(error)) throw error;
      // PROTOCOL §7.4: what cannot be read means attach; a proxy's page is not our server's word.
      this.#fail(carrier, `unreadable: ${error.message}`, now);
    }
    this.#steer(now);
  }

  handleEnd(id: number, end: CarrierEnd, now: number): void {
    const carrier = this.#carriers.get(id);
    if (carrier === undefined) return;
    this.#carriers.forget(carrier);
    if (this.#phase !== 'running') return;
    const whole = carrier.kind === 'poll' ? carrier.ended : carrier.kind === 'post' ? carrier.answered : carrier.kind === 'echo';
    const code = end.code === undefined || carrier.kind !== 'websocket' ? null : codeOfClose(end.code);
    if (whole) this.#pollEnded(carrier);
    else if (code !== null && verdictOf(code) === 'fatal' && (carrier === this.#current || carrier === this.#pending?.carrier)) {
      this.#finish(code, 'closed by the server');
    } else this.#fail(carrier, end.code === undefined ? 'the connection broke' : `closed with ${end.code}`, now);
    this.#steer(now);
  }

  nextTimeout(): number {
    if (this.#phase !== 'running') return Number.POSITIVE_INFINITY;
    const deadlines = [this.#candidates.nextTimeout(), this.#uplink.nextTimeout()];
    if (this.#pending !== null) deadlines.push(this.#pendingDeadline(this.#pending), this.#pending.suspectAt);
    if (this.#mustAttach) deadlines.push(this.#retryAt);
    if (this.#poll !== null) deadlines.push(this.#poll.deadline);
    if (this.#liveness !== null) deadlines.push(this.#liveness.pingAt(), this.#liveness.suspectAt());
    if (this.#suspectSince !== null) deadlines.push(this.#suspectSince + SILENT_KEPT_MS);
    // What was due when we last steered has been seen to, or waits for something else.
    return deadlines.reduce((next, at) => (at > this.#steeredAt && at < next ? at : next), Number.POSITIVE_INFINITY);
  }

  handleTimeout(now: number): void {
    this.#steer(now);
  }

  takeEffects(): Effect[] {
    return this.#carriers.takeEffects();
  }

  // ——— reading ———

  #heard(carrier: Carrier, now: number): void {
    carrier.heardAt = now;
    const down = carrier === this.#current || (carrier.kind === 'poll' && carrier === this.#poll);
    if (down) {
      this.#liveness?.heard(now);
      if (carrier.kind === 'poll') carrier.deadline = Math.max(carrier.deadline, now + this.#roundTrip.patience());
      // It was only slow. If the server was asked to attach elsewhere meanwhile, it is attached anew when that is answered.
      if (this.#suspectSince !== null && this.#pending === null && this.#mayNumber()) {
        this.#suspectSince = null;
        this.#mustAttach = false;
      } else if (this.#suspectSince !== null && carrier.kind === 'websocket') this.#revive(carrier, now);
    } else if (carrier.kind === 'websocket') this.#candidates.handleLife(carrier, now);
  }

  /** A silent socket speaks while another attach is under way: attach on it anew, for an attach is never undone. */
  #revive(socket: Socket, now: number): void {
    if (this.#pending?.carrier === socket) return;
    this.#suspectSince = null;
    this.#attach('websocket', socket, now);
  }

  #receive(carrier: Carrier, frame: DownFrame, size: number, now: number): void {
    if (isCounted(frame[0])) return this.#take(carrier, frame, size, now);
    switch (frame[0]) {
      case Type.welcome:
        return this.#handleWelcome(carrier, frame[1], now);
      case Type.ping:
        if (carrier === this.#current) this.#told(frame[2], now);
        return this.#pong(carrier, frame[1]);
      case Type.pong:
        if (!this.#isDown(carrier)) return;
        this.#sampleRoundTrip(this.#liveness?.ponged(now) ?? null);
        return this.#told(frame[2], now);
      case Type.ack:
        return this.#isDown(carrier) ? this.#told(frame[1], now) : undefined;
      case Type.goaway:
        return this.#handleGoaway(carrier, frame[1], frame[2], frame[3], now);
      case Type.refresh:
      case Type.volatile:
        return this.#isDown(carrier) ? this.#app.frame(frame as AppDownFrame) : undefined;
      case Type.probed:
        return carrier.kind === 'probe' ? this.#candidates.handleProbed(carrier, frame[1], frame[2], now) : undefined;
      case Type.echo:
        return carrier.kind === 'probe' ? this.#candidates.handleEcho(carrier, now) : undefined;
      case Type.fenced:
        return this.#handleFenced(carrier, frame[1], now);
      case Type.poll:
        return this.#handlePollAnswer(carrier, frame[1], now);
      case Type.post:
        if (carrier.kind !== 'post' || carrier.gen !== frame[1].gen || frame[1].sid !== this.#sid) return;
        this.#uplink.handleAnswer(carrier, now);
        if (carrier.gen === this.#adoptedGen) this.#told(frame[1].rx, now);
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

  /** Whether the carrier is what brings the current generation down. */
  #isDown(carrier: Carrier): carrier is Socket | Stream | Poll {
    return carrier === this.#current || carrier === this.#poll;
  }

  /** PROTOCOL §7.3 */
  #take(carrier: Carrier, frame: DownFrame, size: number, now: number): void {
    if (!('sid' in carrier) || carrier.sid === null || carrier.sid !== this.#sid) return;
    const n = carrier.next;
    carrier.next += 1;
    if (n < this.#ledger.rx) return;
    if (n > this.#ledger.rx) return this.#fail(carrier, `frame ${n} came where ${this.#ledger.rx} was due`, now);
    this.#ledger.take();
    this.#counts.framesDown += 1;
    this.#untold += size;
    if (this.#untold * 4 >= (this.#limits ?? DEFAULT_LIMITS).outboxBytes || this.#ledger.rx % 4_096 === 0) this.#acknowledge();
    let whole: DownFrame | null = frame;
    if (frame[0] === Type.fragment) {
      const text = this.#joiner.push(frame);
      whole = text === null ? null : readDown(text);
    } else if (this.#joiner.open) throw new RunnelError('protocol_error', 'a frame between fragments');
    if (whole !== null) this.#app.frame(whole as AppDownFrame);
  }

  /** Tells our `rx` without other reason to speak. Polls tell it anyway. */
  #acknowledge(): void {
    if (this.#current === null || this.#current === 'poll' || !this.#mayNumber()) return;
    if (this.#current.kind === 'stream') this.#uplink.acknowledge();
    else this.#carriers.send(this.#current, encodeFrame([Type.ack, this.#ledger.rx]));
    this.#untold = 0;
  }

  /** PROTOCOL §6.5: between an attach and its welcome nothing that is numbered goes up a socket. */
  #mayNumber(): boolean {
    return this.#current === 'poll' || this.#current?.kind !== 'websocket' || !this.#current.awaiting;
  }

  #pong(carrier: Carrier, t: number): void {
    if (carrier.kind === 'stream') {
      if (carrier === this.#current) this.#uplink.acknowledge();
    } else if (carrier.kind === 'websocket') {
      const numbered = carrier === this.#current && this.#mayNumber();
      this.#carriers.send(carrier, encodeFrame(numbered ? [Type.pong, t, this.#ledger.rx] : [Type.pong, t]));
      if (numbered) this.#untold = 0;
    }
  }

  /** PROTOCOL §7.6: the server's `rx`, heard where it counts. */
  #told(rx: number | undefined, now: number): void {
    if (rx === undefined) return;
    if (rx > this.#ledger.tx) return this.#startAnew('the server claims frames that were never sent', now);
    this.#ledger.acknowledge(rx);
    this.#liveness?.told(this.#ledger.acked < this.#ledger.tx, now);
  }

  #sampleRoundTrip(ms: number | null): void {
    if (ms !== null) this.#roundTrip.sample(ms);
  }

  #handlePollAnswer(carrier: Carrier, answer: PollAnswer, now: number): void {
    if (carrier.kind !== 'poll' || carrier !== this.#poll) return;
    if (answer.gen !== carrier.gen || answer.n !== carrier.n || answer.sid !== this.#sid) {
      return this.#fail(carrier, 'an answer to another poll', now);
    }
    carrier.sid = answer.sid;
    carrier.next = answer.base;
    this.#told(answer.rx, now);
  }

  // ——— attach ———

  /** PROTOCOL §7.2, §7.4 */
  #handleWelcome(carrier: Carrier, welcome: Welcome, now: number): void {
    if (carrier.kind !== 'websocket' && carrier.kind !== 'stream' && carrier.kind !== 'poll') return;
    const pending = this.#pending;
    const known = welcome.sid === this.#sid;
    if (pending === null || pending.carrier !== carrier || welcome.gen !== this.#gen) {
      carrier.sid = known ? welcome.sid : null;
      carrier.next = welcome.base;
      return;
    }
    const first = this.#sid === null;
    if (!first && !known && (welcome.resumed || welcome.was !== this.#sid)) return;
    if (known && !this.#ledger.isPossible(welcome.rx)) {
      return this.#startAnew(`the server's rx ${welcome.rx} cannot be (${this.#ledger.acked}…${this.#ledger.tx})`, now);
    }
    this.#app.attempt({ at: pending.sentAt, transport: modeOf(carrier), step: 'attach', outcome: 'ok', tookMs: now - pending.sentAt, reason: '' });
    if (!first && !known) this.#incarnationOver();
    this.#adopt(carrier, welcome, now);
    this.#app.attached(known ? null : pending.subs);
    this.#steer(now);
  }

  #adopt(carrier: Socket | Stream | Poll, welcome: Welcome, now: number): void {
    const fresh = welcome.sid !== this.#sid;
    this.#sid = welcome.sid;
    this.#key = welcome.key;
    this.#node = welcome.node;
    this.#client = welcome.client;
    this.#limits = welcome.limits;
    this.#heartbeatMs = welcome.heartbeatMs;
    if (fresh) this.#joiner = new FragmentJoiner(welcome.limits.messageBytes + DEFAULT_LIMITS.lineBytes);
    this.#adoptedGen = welcome.gen;
    this.#adoptedAt = now;
    this.#firstSubs = null;
    this.#resumed = !fresh;
    if (!fresh) this.#counts.resumes += 1;
    this.#refusals = 0;
    this.#ledger.acknowledge(welcome.rx);
    this.#sent = welcome.rx;
    this.#untold = 0;
    carrier.sid = welcome.sid;
    carrier.next = welcome.base;
    this.#leave(carrier, now);
    this.#pending = null;
    this.#mustAttach = false;
    this.#suspectSince = null;
    this.#uplink.reset();
    if (this.#poll !== null && this.#poll !== carrier) this.#carriers.drop(this.#poll, 1000, 'superseded');
    this.#poll = null;
    this.#pollN = 0;
    const speaks = carrier.kind !== 'poll';
    this.#liveness = new Liveness(this.#roundTrip, speaks ? this.#heartbeatMs : Number.POSITIVE_INFINITY, now);
    if (carrier.kind === 'poll') {
      this.#current = 'poll';
      this.#poll = carrier;
      carrier.deadline = now + this.#roundTrip.patience();
    } else {
      this.#current = carrier;
      if (carrier.kind === 'websocket') {
        carrier.phase = 'current';
        carrier.awaiting = false;
        this.#candidates.handOver(carrier);
        this.#candidates.websocket.reset(now);
      }
      // PROTOCOL §4.3: a new incarnation is provisional until it hears from us.
      if (fresh) this.#acknowledge();
    }
    // An outage is no verdict: what was never tried in vain is tried at once.
    if (this.#candidates.websocket.failures === 0) this.#candidates.websocket.defer(now);
  }

  /** What carried the session until now is left behind. A silent socket is kept for a while. */
  #leave(next: Carrier, now: number): void {
    const old = this.#current;
    if (old === null || old === 'poll' || old === next) return;
    if (old.kind === 'websocket' && this.#suspectSince !== null && this.#allows('websocket')) {
      this.#candidates.keep(old, Math.max(now, this.#suspectSince + SILENT_KEPT_MS));
    } else this.#carriers.drop(old, closeCodeOf('superseded'), 'superseded');
  }

  #attach(mode: Transport, socket: Socket | null, now: number): void {
    this.#overtakePending(now);
    this.#gen += 1;
    this.#counts.attaches += 1;
    // Beside a living link loss is excluded; otherwise the attach carries what a new incarnation needs.
    const excluded = this.#current !== null && !this.#mustAttach;
    let subs: readonly AttachSub[] = [];
    if (this.#sid === null) {
      this.#firstSubs ??= this.#app.subs();
      subs = this.#firstSubs;
    } else if (!excluded) subs = this.#app.subs();
    const header = {
      v: PROTOCOL_VERSION,
      cid: this.#cid,
      gen: this.#gen,
      rx: this.#ledger.rx,
      mode,
      ...(this.#key === null ? {} : { key: this.#key, node: this.#node }),
      ...(mode === 'poll' ? { hold: 0 } : {}),
      ...(this.#auth === undefined ? {} : { auth: this.#auth }),
      ...(subs.length === 0 ? {} : { subs }),
    };
    const text = encodeFrame([Type.attach, header]);
    const patience = this.#roundTrip.patience(text.length);
    const wait = this.#roundTrip.ms === null ? FIRST_ATTACH_MS : attachPatienceMs(patience, this.#failures);
    const base = { openedAt: now, heardAt: now, sid: null, next: 0 };
    let carrier: Socket | Stream | Poll;
    if (socket !== null) {
      carrier = socket;
      this.#candidates.handleAttach(socket);
      this.#carriers.send(socket, text);
    } else if (mode === 'stream') {
      this.#candidates.handOver('stream');
      carrier = this.#carriers.request((id): Stream => ({ ...base, kind: 'stream', id }), [text]);
    } else {
      const gen = this.#gen;
      const make = (id: number): Poll => ({ ...base, kind: 'poll', id, gen, n: 0, hold: 0, deadline: now + wait, ended: false });
      carrier = this.#carriers.request(make, [text]);
    }
    this.#pending = { gen: this.#gen, carrier, sentAt: now, suspectAt: now + patience, deadline: now + wait, subs };
  }

  /** Only the last attach sent counts: the one before is given up. A socket may still prove useful. */
  #overtakePending(now: number): void {
    const overtaken = this.#pending?.carrier;
    this.#pending = null;
    if (overtaken === undefined || overtaken === this.#current) return;
    if (overtaken.kind === 'websocket') this.#candidates.keep(overtaken, now + SILENT_KEPT_MS);
    else this.#carriers.drop(overtaken, 1000, 'overtaken');
  }

  /** The attach under way will not be answered as hoped. */
  #attachFailed(reason: string, retryMs: number, now: number): void {
    const pending = this.#pending;
    if (pending === null) return;
    this.#pending = null;
    const transport = modeOf(pending.carrier);
    this.#app.attempt({ at: pending.sentAt, transport, step: 'attach', outcome: 'failed', tookMs: now - pending.sentAt, reason });
    if (pending.carrier !== this.#current) {
      this.#carriers.drop(pending.carrier, 1000, reason);
      if (pending.carrier.kind === 'websocket') this.#candidates.handOver(pending.carrier);
      if (transport !== 'poll') this.#candidates.verdict(transport, now);
    }
    // The server may have taken it all the same: only another attach makes that certain (PROTOCOL §7.4).
    this.#backOff(reason, retryMs, now);
    if (this.#current !== null && this.#suspectSince === null && retryMs === 0) this.#retryAt = now;
  }

  // ——— trouble ———

  /** A carrier broke, ended early, or brought what it must not. */
  #fail(carrier: Carrier, reason: string, now: number): void {
    this.#carriers.drop(carrier, 1000, reason);
    if (carrier === this.#pending?.carrier) {
      const isCurrent = carrier === this.#current;
      this.#attachFailed(reason, 0, now);
      if (isCurrent) this.#lose(reason, now);
    } else if (carrier === this.#current) this.#lose(reason, now);
    else if (carrier === this.#poll) this.#pollFailed(reason, now);
    else if (carrier.kind === 'post') {
      if (carrier.gen === this.#adoptedGen && !this.#uplink.handleFailure(carrier)) this.#distrust(reason, 0, now);
    } else if (carrier.kind === 'websocket' || carrier.kind === 'probe') this.#candidates.fail(carrier, reason, now);
  }

  /** The current link is gone. */
  #lose(reason: string, now: number): void {
    const lost = this.#current;
    if (lost === null) return;
    const livedMs = now - this.#adoptedAt;
    this.#distrust(reason, 0, now);
    this.#app.attempt({ at: this.#adoptedAt, transport: this.transport ?? 'poll', step: 'live', outcome: 'failed', tookMs: livedMs, reason });
    this.#current = null;
    this.#liveness = null;
    this.#suspectSince = null;
    this.#carriers.drop(this.#poll, 1000, reason);
    this.#poll = null;
    this.#uplink.reset();
    if (lost === 'poll') return;
    this.#carriers.drop(lost, 1000, reason);
    if (livedMs >= BORNE_MS) this.#candidates[lost.kind].reset(now);
    else this.#candidates[lost.kind].failed(now);
  }

  /** The session needs another link. At once if the last one worked, else after a growing pause. */
  #distrust(reason: string, retryMs: number, now: number): void {
    if (this.#mustAttach || this.#pending !== null) return;
    if (now - this.#adoptedAt >= WORKED_MS && retryMs === 0) {
      this.#failures = 0;
      this.#mustAttach = true;
      this.#reason = reason;
      this.#retryAt = now;
    } else this.#backOff(reason, retryMs, now);
  }

  #backOff(reason: string, retryMs: number, now: number): void {
    this.#failures += 1;
    this.#mustAttach = true;
    this.#reason = reason;
    const spread = retryMs * (0.5 + this.#options.random() / 2);
    this.#retryAt = now + Math.max(spread, backoffMs(this.#failures, this.#options.random));
  }

  #suspect(now: number): void {
    this.#suspectSince = now;
    this.#reason = 'silent';
    this.#mustAttach = true;
    this.#retryAt = now;
    // A poll has nothing to wait for beside it: its replacement is another poll.
    if (this.#current === 'poll') this.#lose('silent', now);
  }

  /** PROTOCOL §7.3: a poll that ended whole is followed by the next. */
  #pollEnded(carrier: Carrier): void {
    if (carrier === this.#poll) this.#poll = null;
  }

  /** A poll was cut. What lasted a while teaches how long the path lets one be held; the next one follows. */
  #pollFailed(reason: string, now: number): void {
    const poll = this.#poll;
    this.#poll = null;
    if (poll === null) return;
    const lasted = now - poll.openedAt;
    if (poll.hold > 0 && lasted >= WORKED_MS && lasted < poll.hold) {
      this.#holdMs = Math.max(HOLD_MIN_MS, lasted * HOLD_PART);
    } else if (!poll.ended && poll.n > 0) this.#lose(reason, now);
    else if (poll.n === 0) this.#lose(reason, now);
  }

  /** A poll or POST was answered `reattach` or `retry`, or fenced. */
  #refused(carrier: Carrier, reason: string, retryMs: number, now: number): void {
    if (carrier === this.#pending?.carrier) {
      this.#carriers.drop(carrier.kind === 'websocket' ? null : carrier, 1000, reason);
      return this.#attachFailed(reason, retryMs, now);
    }
    const ours = carrier === this.#poll || carrier === this.#current || (carrier.kind === 'post' && carrier.gen === this.#adoptedGen);
    if (!ours) return;
    if (carrier.kind === 'post') carrier.answered = true;
    if (carrier === this.#poll) {
      carrier.ended = true;
      this.#poll = null;
    }
    this.#distrust(reason, retryMs, now);
  }

  /** PROTOCOL §7.7 */
  #handleFenced(carrier: Carrier, gen: number, now: number): void {
    if (gen > this.#gen) return this.#startAnew('another client holds our key', now);
    this.#refused(carrier, 'fenced', 0, now);
  }

  #handleGoaway(carrier: Carrier, code: string, reason: string, retryMs: number, now: number): void {
    const attaching = carrier === this.#pending?.carrier;
    const ours = attaching || this.#isDown(carrier) || (carrier.kind === 'post' && carrier.gen === this.#adoptedGen);
    if (!ours) return this.#fail(carrier, code, now);
    const verdict = verdictOf(code);
    if (verdict === 'fatal') return this.#finish(code, reason);
    if (verdict === 'refresh') {
      this.#refusals += 1;
      if (this.#refusals > 1 || !this.#options.hasCredentials) return this.#finish(code, reason);
      this.#credentials = 'needed';
    }
    if (attaching) this.#attachFailed(code, retryMs, now);
    if (this.#current !== null && !(attaching && carrier !== this.#current)) this.#lose(code, now);
    this.#carriers.drop(carrier, 1000, code);
    if (verdict === 'backoff' && retryMs > 0) this.#retryAt = now + retryMs * this.#options.random();
    else if (verdict === 'refresh') this.#retryAt = now;
  }

  /** The incarnation is over (PROTOCOL §7.8): counters start again, and nothing that carried it counts any more. */
  #incarnationOver(): void {
    this.#ledger = new Ledger();
    this.#sent = 0;
    this.#app.lost();
  }

  /** Nobody could continue this session: a new client, as it were. */
  #startAnew(reason: string, now: number): void {
    this.#lose(reason, now);
    this.#carriers.dropAll(reason);
    this.#candidates.clear();
    this.#uplink.reset();
    this.#pending = null;
    this.#poll = null;
    this.#cid = this.#options.newId();
    this.#key = null;
    this.#sid = null;
    this.#gen = 0;
    this.#adoptedGen = 0;
    this.#firstSubs = null;
    this.#incarnationOver();
    this.#backOff(reason, 0, now);
  }

  #finish(code: string, reason: string, last: Carrier | null = null): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#carriers.dropAll(reason, last);
    this.#candidates.clear();
    this.#current = null;
    this.#pending = null;
    this.#poll = null;
    this.#setState({ status: 'closed', code, reason });
  }

  // ——— steering ———

  #steer(now: number): void {
    if (this.#phase !== 'running') return;
    this.#steeredAt = now;
    this.#checkPath(now);
    if (this.#pending !== null && now >= this.#pendingDeadline(this.#pending)) {
      this.#attachFailed('no answer in time', 0, now);
      this.#retryAt = now;
    }
    if (this.#askCredentials(now)) {
      this.#tryCandidates(now);
      this.#attachWhereDue(now);
      this.#pollWhereDue(now);
    }
    this.#sendUp(now);
    this.#report(now);
  }

  /** Is the path alive? PROTOCOL §10.8. */
  #checkPath(now: number): void {
    if (this.#current === 'poll' && this.#poll !== null && now >= this.#poll.deadline) {
      const poll = this.#poll;
      this.#poll = null;
      this.#carriers.drop(poll, 1000, 'overdue');
      this.#lose('silent', now);
    }
    const liveness = this.#liveness;
    if (this.#current === null || liveness === null) return;
    if (now >= liveness.pingAt()) this.#ping(liveness, now);
    if (this.#suspectSince === null && now >= liveness.suspectAt()) this.#suspect(now);
    else if (this.#suspectSince !== null && now >= this.#suspectSince + SILENT_KEPT_MS) this.#lose('silent', now);
    if (this.#uplink.giveUpOverdue(now)) this.#distrust('a POST was not answered', 0, now);
  }

  #ping(liveness: Liveness, now: number): void {
    if (!this.#mayNumber() || this.#current === null) return;
    liveness.pinged(now);
    const line = this.#line([Type.ping, Math.floor(now)]);
    if (this.#current === 'poll' || this.#current.kind === 'stream') this.#uplink.sendLoose(line);
    else this.#carriers.send(this.#current, line.text);
  }

  /** Whether credentials are known, or not wanted. Asks for them when they are due. */
  #askCredentials(now: number): boolean {
    if (this.#credentials === 'needed' && now >= this.#retryAt) {
      this.#credentials = 'awaited';
      this.#carriers.effect({ type: 'credentials', refresh: this.#refusals > 0 });
    }
    return this.#credentials === 'known';
  }

  #tryCandidates(now: number): void {
    const needed = this.#mustAttach || this.#current === null;
    const only = this.#allowed.length === 1;
    this.#candidates.steer(
      {
        websocket: this.#allows('websocket') && (needed || this.#isBetter('websocket')),
        stream: this.#allows('stream') && !needed && this.#isBetter('stream'),
        linked: this.#current !== null && this.#suspectSince === null,
        websocketAllowed: this.#allows('websocket'),
        retryAt: only && this.#current === null ? this.#retryAt : null,
      },
      now,
    );
  }

  #attachWhereDue(now: number): void {
    const best = this.#candidates.best();
    const pending = this.#pending;
    if (pending !== null) {
      if (best !== null && now >= pending.suspectAt) return this.#attachOn(best, now);
    } else if (this.#mustAttach) {
      if (best !== null) this.#attachOn(best, now);
      else if (now >= this.#retryAt) this.#rescue(now);
    } else if (best !== null && this.#isBetter(best === 'stream' ? 'stream' : 'websocket')) this.#attachOn(best, now);
    else if (this.#allows('poll') && this.#isBetter('poll')) this.#attach('poll', null, now);
  }

  /** An answer that has begun gets more time: it may be long. */
  #pendingDeadline({ carrier, sentAt, deadline }: PendingAttach): number {
    return carrier.heardAt > sentAt ? carrier.heardAt + SILENT_KEPT_MS : deadline;
  }

  #attachOn(way: Socket | 'stream', now: number): void {
    if (way === 'stream') this.#attach('stream', null, now);
    else this.#attach('websocket', way, now);
  }

  /** No way has proven itself: the one that cannot be blocked by a buffer, or whatever is allowed. */
  #rescue(now: number): void {
    const current = this.#current;
    const alive = current !== null && current !== 'poll' && current.kind === 'websocket' && this.#suspectSince === null;
    if (alive && this.#allows('websocket')) this.#attach('websocket', current, now);
    else if (this.#allows('poll')) this.#attach('poll', null, now);
    else if (this.#allows('stream')) this.#attach('stream', null, now);
    // Otherwise a WebSocket is being opened, and is attached when it is open.
  }

  #pollWhereDue(now: number): void {
    if (this.#current !== 'poll' || this.#poll !== null || this.#mustAttach || this.#key === null) return;
    this.#pollN += 1;
    const { gen, n, rx } = { gen: this.#adoptedGen, n: this.#pollN, rx: this.#ledger.rx };
    const hold = Math.floor(Math.min(this.#holdMs ?? Number.POSITIVE_INFINITY, (this.#limits ?? DEFAULT_LIMITS).holdMs));
    const deadline = now + hold + this.#roundTrip.patience();
    const make = (id: number): Poll => ({
      kind: 'poll', id, openedAt: now, heardAt: now, sid: null, next: 0, gen, n, hold, deadline, ended: false,
    });
    this.#untold = 0;
    const header = encodeFrame([Type.poll, { key: this.#key, node: this.#node, gen, n, rx, hold }]);
    this.#poll = this.#carriers.request(make, [header]);
  }

  #sendUp(now: number): void {
    if (this.#current === null || this.#key === null) return;
    if (this.#current !== 'poll' && this.#current.kind === 'websocket') return this.#pump(now);
    const open = this.#ledger.acked < this.#ledger.tx;
    const bytes = this.#uplink.steer(this.#uplinkSession(), now);
    if (bytes === 0) return;
    if (open) this.#liveness?.sent(now);
    if (open || this.#current === 'poll') this.#liveness?.asked(bytes, now);
  }

  #uplinkSession(): UplinkSession {
    const tellsRx = this.#current !== 'poll';
    return { key: this.#key ?? '', node: this.#node, gen: this.#adoptedGen, ledger: this.#ledger, tellsRx };
  }

  /** Sends what the current socket has not carried yet. */
  #pump(now: number): void {
    const socket = this.#current;
    if (socket === null || socket === 'poll' || !this.#mayNumber() || this.#sent >= this.#ledger.tx) return;
    let bytes = 0;
    while (this.#sent < this.#ledger.tx) {
      const lines = this.#ledger.slice(this.#sent, MESSAGE_BYTES);
      this.#sent += lines.length;
      bytes += lines.reduce((sum, line) => sum + line.size, 0);
      this.#carriers.send(socket as Socket, lines.map((line) => line.text).join('\n'));
    }
    this.#liveness?.sent(now);
    this.#liveness?.asked(bytes, now);
  }

  // ——— small questions ———

  #allows(transport: Transport): boolean {
    return this.#allowed.includes(transport);
  }

  /** Whether the session would rather be carried by `transport` than by what carries it. */
  #isBetter(transport: Transport): boolean {
    const mode = this.transport;
    if (mode === null || mode === transport) return mode === null;
    return !this.#allows(mode) || TRANSPORTS.indexOf(transport) < TRANSPORTS.indexOf(mode);
  }

  #line(frame: UpFrame): Line {
    const text = encodeFrame(frame);
    return { text, size: text.length + 1 };
  }

  #report(now: number): void {
    const transport = this.transport;
    if (transport !== null) {
      const since = this.#state.status === 'open' && this.#state.transport === transport ? this.#state.since : now;
      this.#setState({ status: 'open', transport, since, resumed: this.#resumed });
    } else if (this.#sid === null) this.#setState({ status: 'connecting', attempt: this.#failures + 1 });
    else {
      const { reason, attempt, retryAt } = { reason: this.#reason, attempt: this.#failures + 1, retryAt: this.#retryAt };
      this.#setState({ status: 'reconnecting', reason, attempt, retryAt });
    }
  }

  #setState(state: ConnectionState): void {
    const old = this.#state;
    this.#state = state;
    if (JSON.stringify(old) !== JSON.stringify(state)) this.#app.state(state);
  }
}

const modeOf = (carrier: Socket | Stream | Poll): Transport => carrier.kind;
