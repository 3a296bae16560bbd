/**
 * What carries the session, and what becomes of it (PROTOCOL §7): an attach is sent, answered or fails; a link is adopted, doubted, lost; an
 * incarnation or an identity ends. Each method is one event and leaves things consistent; what to do about it is for `steer` to say.
 *
 *   - `path` carries the session; nothing does while its `link` is null.
 *   - `attaching` is the attach under way; only the last one sent may be adopted.
 *   - `recovery` says that the session needs another link, whatever carries it: gone, suspect, or not trusted any more.
 *   - `candidates` are the other transports that are tried, and when.
 */
import { closingCodeOf, isCode, verdictOf } from '../../errors.ts';
import type { GoawayFrame, Welcome } from '../../wire/frames.ts';
import { Attaching, type PendingAttach } from './attaching.ts';
import { Candidates } from './candidates.ts';
import { CarrierSet } from './carrier-set.ts';
import { type Carrier, transportOf, type Way } from './carriers.ts';
import { ConnectionReport } from './connection-report.ts';
import { Credentials } from './credentials.ts';
import { Identity } from './identity.ts';
import { Incarnation } from './incarnation.ts';
import { RoundTrip } from './liveness.ts';
import { Path, SILENT_KEPT_MS } from './path.ts';
import { Poller } from './poller.ts';
import type { ClientApp, ClientSessionOptions } from './ports.ts';
import { Recovery } from './recovery.ts';
import { TransportChoice } from './transport-choice.ts';
import { Uplink } from './uplink.ts';

/** A link that lived less did not really work: the next attempt backs off. */
const WORKED_MS = 1_000;
/** A transport whose link lived less counts as one that the network does not bear. */
const BORNE_MS = 3_000;

export class Linkage {
  readonly carriers: CarrierSet = new CarrierSet();
  readonly roundTrip: RoundTrip = new RoundTrip();
  readonly incarnation: Incarnation = new Incarnation();
  readonly attaching: Attaching = new Attaching(this);
  readonly poller: Poller = new Poller(this);
  readonly uplink: Uplink = new Uplink(this);
  readonly identity: Identity;
  readonly choice: TransportChoice;
  readonly credentials: Credentials;
  readonly recovery: Recovery;
  readonly path: Path;
  readonly report: ConnectionReport;
  readonly candidates: Candidates;
  readonly #app: ClientApp;
  readonly #random: () => number;

  constructor(options: ClientSessionOptions) {
    const { app, transports, newId, random, hasCredentials, resume } = options;
    this.#app = app;
    this.#random = random;
    this.identity = new Identity(newId, resume?.identity);
    const { limits } = this.identity;
    if (resume !== undefined && limits !== null) this.incarnation.restore(resume.incarnation, limits);
    this.choice = new TransportChoice(transports, this.identity);
    this.credentials = new Credentials(hasCredentials);
    this.recovery = new Recovery(random);
    this.path = new Path(this);
    this.report = new ConnectionReport(app, this);
    this.candidates = new Candidates(this, options);
  }

  // ——— attach ———

  attach(way: Way, now: number): void {
    this.#overtakePending(now);
    const isCurrent = way === this.path.socket;
    // It would take the session from the socket that this is to keep it on.
    if (isCurrent) this.attaching.leaveEarlier();
    this.report.counts.attaches += 1;
    // Beside a living link loss is excluded; otherwise the attach carries what a new incarnation needs.
    const subs = this.identity.subs(() => this.#app.subs(), this.path.link !== null && !this.recovery.due);
    const mode = transportOf(way);
    const text = this.identity.attach({ mode, rx: this.incarnation.ledger.rx, auth: this.credentials.auth, subs });
    this.candidates.handleAttach(way);
    this.attaching.send({ way, text, subs }, now);
    // No ping goes up while it is awaited: it has to ask for a sign of life itself.
    if (isCurrent) this.path.asked(text.length, now);
  }

  /** Another attach takes the place of the one before. A socket may still prove useful. */
  #overtakePending(now: number): void {
    const overtaken = this.attaching.take();
    if (overtaken === null || overtaken.carrier === this.path.link) return;
    if (overtaken.carrier.kind === 'websocket') this.candidates.keep(overtaken.carrier, now + SILENT_KEPT_MS);
    else this.attaching.leave(overtaken, 'overtaken', now);
  }

  /** PROTOCOL §7.2, §7.4 */
  handleWelcome(carrier: Carrier, welcome: Welcome, now: number): void {
    if (!('sid' in carrier)) return;
    // PROTOCOL §6.3: a cached answer shows.
    if (carrier.kind === 'poll' && carrier.n > 0) return this.fail(carrier, 'a welcome in answer to a poll', now);
    const { sid } = this.identity;
    const { ledger } = this.incarnation;
    const known = welcome.sid === sid;
    carrier.sid = known ? sid : null;
    carrier.next = welcome.base;
    const attach = this.attaching.find(carrier);
    if (attach === null || welcome.gen !== attach.gen) return;
    // PROTOCOL §4.0: generations of two clients may be equal; a cached answer shows by this.
    if (welcome.cid !== this.identity.cid) return this.fail(carrier, 'a welcome to another client', now);
    if (sid !== null && !known && (welcome.resumed || welcome.was !== sid))
      return this.fail(carrier, 'a welcome to another session', now);
    if (known ? !ledger.isPossible(welcome.rx) : welcome.rx > 0) {
      return this.startAnew(`the server's rx ${welcome.rx} cannot be (${ledger.acked}…${ledger.tx})`, now);
    }
    this.#attachTried(attach, '', now);
    if (sid !== null && !known) this.#incarnationOver();
    this.#adopt(attach, welcome, now);
    this.#app.attached(known ? null : attach.subs);
  }

  #adopt(attach: PendingAttach, welcome: Welcome, now: number): void {
    const { carrier, first } = attach;
    this.attaching.adopted(attach, now);
    const fresh = this.identity.adopt(welcome);
    if (fresh) this.incarnation.begin(welcome.limits);
    this.report.adopted(fresh);
    this.credentials.accept();
    this.incarnation.ledger.acknowledge(welcome.rx);
    this.path.adopt(carrier, welcome, this.choice.allows('websocket') ? this.candidates : null, now);
    this.recovery.done();
    const { websocket } = this.candidates;
    if (carrier.kind === 'websocket') {
      this.candidates.handOver(carrier);
      websocket.reset(now);
    }
    // PROTOCOL §4.3: a new incarnation is provisional until it hears from us.
    // What was told of the frames taken since the attach may not have been heard, and a server that waits for that sends nothing more.
    if (fresh || first || this.incarnation.ledger.rx > welcome.base) this.path.acknowledge();
    // An outage is no verdict: what was never tried in vain is tried at once.
    if (websocket.failures === 0) websocket.defer(now);
  }

  /** The attach under way will not be answered as hoped. The server asked to be left alone for `pauseMs`. */
  attachFailed(reason: string, now: number, pauseMs = 0): void {
    const attach = this.attaching.take();
    if (attach === null) return;
    this.#attachTried(attach, reason, now);
    const { carrier } = attach;
    if (carrier !== this.path.link) {
      this.attaching.leave(attach, reason, now);
      if (carrier.kind === 'websocket') this.candidates.handOver(carrier);
      if (carrier.kind !== 'poll') this.candidates.verdict(carrier.kind, now);
    }
    // The server may have taken it all the same: only another attach makes that certain (PROTOCOL §7.4).
    this.recovery.backOff(reason, now, pauseMs);
    // Beside a living link the first failure is put right at once.
    if (this.path.link !== null && !this.path.isSuspect && this.recovery.failures === 1) this.recovery.hasten(now);
  }

  #attachTried({ carrier, sentAt }: PendingAttach, reason: string, now: number): void {
    this.report.tried({ transport: carrier.kind, step: 'attach', at: sentAt, reason }, now);
  }

  // ——— signs of life ———

  /** Something came in on the carrier. */
  heard(carrier: Carrier, size: number, now: number): void {
    carrier.heardAt = now;
    if (!this.path.isDown(carrier)) {
      if (carrier.kind === 'websocket') this.candidates.handleLife(carrier, now);
      return;
    }
    this.path.heard(size, now);
    if (!this.path.isSuspect) return;
    if (this.identity.gen === this.identity.adoptedGen) {
      // It was only slow.
      this.path.trust();
      this.recovery.done();
    } else if (carrier.kind === 'websocket' && !this.attaching.isOn(carrier)) {
      // PROTOCOL §10.8: the server was asked to attach elsewhere meanwhile, and an attach is never undone.
      this.path.trust();
      this.attach(carrier, now);
    }
  }

  /** PROTOCOL §7.6: the server's `rx`, heard where it counts. */
  told(rx: number | undefined, now: number): void {
    if (rx === undefined) return;
    const { ledger } = this.incarnation;
    if (rx > ledger.tx) return this.startAnew('the server claims frames that were never sent', now);
    const { bytes } = ledger;
    ledger.acknowledge(rx);
    this.path.told(bytes - ledger.bytes, now);
  }

  handlePong(carrier: Carrier, rx: number | undefined, now: number): void {
    if (!this.path.isDown(carrier)) return;
    const tookMs = this.path.ponged(now);
    if (tookMs !== null) this.roundTrip.sample(tookMs);
    this.told(rx, now);
    // PROTOCOL §4.1: a pong without `rx` comes from a link that the server does not hold for the current one.
    if (rx === undefined && carrier === this.path.socket && this.path.mayNumber) this.distrust('superseded', now);
  }

  // ——— trouble ———

  /** A carrier broke, ended early, or brought what it must not. */
  fail(carrier: Carrier, reason: string, now: number, tooLarge = false): void {
    this.carriers.drop(carrier, reason);
    const isCurrent = carrier === this.path.link;
    if (this.attaching.isOn(carrier)) this.attachFailed(reason, now);
    if (isCurrent) {
      this.path.idleCut.cut(now - carrier.heardAt);
      this.lose(reason, now);
    } else if (this.poller.has(carrier)) {
      if (!this.poller.handleCut(carrier, now)) this.lose(reason, now);
    } else if (carrier.kind === 'post') {
      if (carrier.gen !== this.identity.adoptedGen || this.uplink.handleFailure(carrier, tooLarge)) return;
      // Nothing smaller can be sent, and everything else waits for it.
      const isOnlyWay = !this.choice.allows('websocket') || this.candidates.websocket.failures > 0;
      if (tooLarge && carrier.single && isOnlyWay) this.finish('frame_too_large', reason);
      else this.distrust(reason, now);
    } else if (this.candidates.has(carrier)) {
      this.candidates.fail(carrier, reason, now);
      // Where nothing else may be tried, this was the attempt to attach.
      if (
        carrier.kind === 'websocket' &&
        this.path.link === null &&
        this.attaching.pending === null &&
        this.choice.onlyWebSocket
      ) {
        this.recovery.backOff(reason, now);
      }
    }
  }

  /** The current link is gone. */
  lose(reason: string, now: number): void {
    const { transport, adoptedAt } = this.path;
    const verdict = isCode(reason) ? verdictOf(reason) : null;
    if (transport === null) return;
    this.recovery.note(reason);
    this.distrust(reason, now);
    this.path.lose(reason);
    this.report.tried({ transport, step: 'live', at: adoptedAt, reason }, now);
    if (transport === 'poll') return;
    const schedule = this.candidates[transport];
    if (now - adoptedAt >= BORNE_MS) schedule.reset(now);
    // A server that closes, or refuses credentials, says nothing about the network.
    else if (verdict !== 'backoff' && verdict !== 'refresh') schedule.failed(now);
  }

  /** The session needs another link. At once if the last one worked, else after a growing pause. An attach under way is waited for. */
  distrust(reason: string, now: number, pauseMs = 0): void {
    if (this.recovery.due || this.attaching.pending !== null) return;
    if (now - this.path.adoptedAt >= WORKED_MS && pauseMs === 0) this.recovery.want(reason, now);
    else this.recovery.backOff(reason, now, pauseMs);
  }

  /** An attach, poll or POST was answered `reattach` or `retry`, or fenced. */
  refused(carrier: Carrier, reason: string, now: number, pauseMs = 0): void {
    if (this.attaching.isOn(carrier)) return this.attachFailed(reason, now, pauseMs);
    if (!this.#isOurs(carrier)) return;
    if (carrier.kind === 'post') carrier.answered = true;
    else if (carrier.kind === 'poll') this.poller.handleRefusal(carrier);
    this.distrust(reason, now, pauseMs);
  }

  /** Whether what the carrier brings concerns the session as it is carried now. */
  #isOurs(carrier: Carrier): boolean {
    return this.path.isDown(carrier) || (carrier.kind === 'post' && carrier.gen === this.identity.adoptedGen);
  }

  handleGoaway(carrier: Carrier, [, code, reason, retryMs, gen]: GoawayFrame, now: number): void {
    const attaching = this.attaching.isOn(carrier);
    if (!attaching && !this.#isOurs(carrier)) return this.fail(carrier, code, now);
    const verdict = verdictOf(code);
    if (verdict === 'fatal') return this.finish(code, reason);
    // A stream that ends because our own attach has taken its place: that attach will be answered, or will be found out.
    if (code === 'superseded' && carrier.kind === 'stream' && !attaching && this.attaching.pending !== null) {
      return this.carriers.drop(carrier, code);
    }
    const isCurrent = !attaching || carrier === this.path.link;
    if (verdict === 'refresh' && !this.credentials.areNewerThan(gen)) {
      if (!this.credentials.refuse()) return this.finish(code, reason);
      // What is under way carries the same credentials.
      if (!attaching) this.#overtakePending(now);
    }
    const pauseMs = verdict === 'backoff' ? retryMs * this.#random() : 0;
    if (attaching) this.attachFailed(code, now, pauseMs);
    else this.distrust(code, now, pauseMs);
    if (isCurrent) this.lose(code, now);
    this.carriers.drop(carrier, code);
    if (verdict === 'refresh' && this.recovery.failures <= 1) this.recovery.hasten(now);
  }

  // ——— ends ———

  /** The incarnation is over (PROTOCOL §7.8): counters start again, and nothing that carried it counts any more. */
  #incarnationOver(): void {
    this.incarnation.over();
    this.#app.lost();
  }

  /** Nobody could continue this session: a new client, as it were. */
  startAnew(reason: string, now: number): void {
    this.lose(reason, now);
    this.#letGo(reason, null);
    this.identity.startAnew();
    this.credentials.startAnew();
    this.#incarnationOver();
    this.recovery.backOff(reason, now);
  }

  /** The session is over for good. `last` is left to bring its goodbye up. */
  finish(code: string, reason: string, last: Carrier | null = null): void {
    this.#letGo(reason, last);
    this.path.lose(reason, last);
    this.report.close(closingCodeOf(code), reason);
  }

  #letGo(reason: string, last: Carrier | null): void {
    this.carriers.dropAll(reason, last);
    this.candidates.clear();
    this.attaching.take();
  }
}
