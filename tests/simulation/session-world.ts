/** Clients and a server over a bad network: the shipped session cores with applications that send numbered frames and check them. */
import { type Identity, type Line, TRANSPORTS, type Transport } from '@runnel/protocol';
import { type Random, VirtualNetwork, VirtualServer, VirtualTime } from '@runnel/protocol/testing';
import { Coverage } from './coverage.ts';
import { EventLog } from './event-log.ts';
import { fairWeather } from './faults.ts';
import { LedgerChecker } from './ledger-checker.ts';
import { Parties } from './parties.ts';
import { Party, payload, toLines } from './party.ts';
import { isRefusal, RequestChecker } from './request-checker.ts';
import { serialNames } from './serial-names.ts';
import { check, Violation } from './violation.ts';
import { typeOf } from './wire-checker.ts';

/** Bounds of invariant 13. A client has a current carrier, candidates, a poll and a POST; what it leaves behind ends with its time to live. */
const CARRIERS_MAX = 8;
const LINKS_MAX = 120;
const SESSIONS_MAX = 120;

export class SessionWorld {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly coverage = new Coverage();
  readonly log: EventLog;
  readonly server: VirtualServer;
  readonly network: VirtualNetwork;
  readonly ledgers: LedgerChecker;
  readonly transports: readonly Transport[];
  readonly hasCredentials: boolean;
  readonly #requests: RequestChecker<Line, Identity>;
  /** How much of what is sent is counted, of 1. */
  readonly #counted: number;
  readonly newId = serialNames();
  readonly parties = new Parties((name) => new Party(this, name));
  #serial = 0;
  /** Which credentials count, and who has them, by party. */
  readonly #tokens = new Map<string, number>();
  readonly #users = new Map<string, string>();
  /** Names of the clients that have closed. */
  readonly #goodbyes = new Set<string>();

  constructor(random: Random, hashed = false) {
    this.random = random;
    this.log = new EventLog(() => this.time.now, { hashed });
    this.hasCredentials = random.chance(0.5);
    this.#counted = random.pick([0.92, 0.92, 0.92, 0.08]);
    let transports = TRANSPORTS.filter(() => random.chance(0.6));
    if (transports.length === 0) transports = [random.pick(TRANSPORTS)];
    this.transports = random.chance(0.6) ? TRANSPORTS : transports;
    const authMax = random.pick([0, 0, 300, 300, 4_000]);
    const small = random.chance(0.3);
    const ttlMs = random.pick([20_000, 120_000]);
    this.server = new VirtualServer({
      time: this.time,
      newId: this.newId,
      authMs: authMax === 0 ? () => 0 : () => random.int(0, authMax),
      authenticate: (auth) => this.#authenticate(auth),
      limits: {
        ttlMs,
        ...(small ? { outboxFrames: 40 } : {}),
        batchBytes: random.pick([500, 262_144]),
        fragmentChars: FRAGMENT_CHARS,
      },
      app: {
        created: (session, _subs, settled) => {
          this.ledgers.born(session.sid, this.time.now);
          // An attach that was under way when its client said goodbye.
          if (this.#goodbyes.has(session.cid)) this.ledgers.excuse(session.sid, 'closed');
          settled();
        },
        frame: (session, frame) => {
          if (frame[0] === 9) {
            this.ledgers.volatile(Number(frame[3]), 'the server');
            this.coverage.saw('volatile up');
          } else this.ledgers.life(session.sid).up.take(Number(frame[1]), 'the server');
        },
        confirmed: () => {},
        resumed: () => {},
        reachable: (session, reachable) => {
          if (reachable) this.ledgers.carried(session.sid, this.time.now);
        },
        overflowed: (session) => {
          this.log.add('server', 'overflow', session.sid);
          this.ledgers.excuse(session.sid, 'overflow');
          this.coverage.saw(session.link === null ? 'overflow' : 'overflow with a link');
        },
        ended: (session, code) => {
          this.log.add('server', 'ended', `${session.sid} ${code}`);
          this.ledgers.ended(session, code, this.time.now);
        },
      },
    });
    this.ledgers = new LedgerChecker(this.server.limits, this.coverage);
    this.#requests = new RequestChecker({
      server: this.server,
      now: () => this.time.now,
      coverage: this.coverage,
      authMs: authMax,
      sidOf,
    });
    this.network = new VirtualNetwork({
      time: this.time,
      random,
      server: this.#requests,
      weather: fairWeather(random, [5, 20, 80, 300]),
      happened: (mishap) => {
        this.log.add('net', mishap);
        this.coverage.saw(mishap);
      },
    });
    const parties = random.pick([1, 1, 2, 3]);
    for (let i = 0; i < parties; i += 1) this.parties.join();
  }

  #authenticate(auth: unknown): Identity | null {
    if (!this.hasCredentials) return { id: 'anyone' };
    const [name = '', token] = String(auth).split('.');
    return Number(token) >= (this.#tokens.get(name) ?? 1) ? { id: this.#users.get(name) ?? name } : null;
  }

  has(sid: string): boolean {
    return this.server.registry.session(sid) !== undefined;
  }

  /** Every invariant that must hold at every moment. */
  check(): void {
    const { registry } = this.server;
    const { now } = this.time;
    for (const session of registry.sessions()) this.ledgers.session(session, now);
    this.#requests.check(now);
    for (const { client, wire } of this.parties.all) {
      const { session } = client;
      if (session.ready) wire.check(session);
      const { carrierCount, sid } = session;
      if (carrierCount > CARRIERS_MAX) throw new Violation(13, `${carrierCount} carriers are open`);
      const peer = sid === null ? undefined : registry.session(sid);
      if (peer !== undefined && session.ready) this.ledgers.ends(session.ledger, peer);
    }
    const { linkCount, size } = registry;
    if (linkCount > LINKS_MAX) throw new Violation(13, `${linkCount} links are open at the server`);
    if (size > SESSIONS_MAX) throw new Violation(13, `${size} sessions live at the server`);
  }

  // ——— traffic ———

  send(count: number): void {
    for (let i = 0; i < count; i += 1) {
      const kind = this.random.next();
      const id = this.#nextSerial();
      if (kind < this.#counted / 2) this.random.pick(this.parties.all).sendUp(id);
      else if (kind < this.#counted) this.#sendDown(id);
      else {
        this.random.pick(this.parties.all).sendLoose(id);
        this.server.turn(() => {
          for (const session of this.server.registry.sessions()) session.sendLoose({ text: `[9,1,0,${id}]`, size: 20 });
        });
      }
    }
  }

  /** To every session, whether anybody listens or not. */
  #sendDown(id: number): void {
    this.server.turn(() => {
      for (const session of this.server.registry.sessions()) {
        const lines = toLines(`[19,${id},${payload(this.random)}]`);
        this.ledgers.life(session.sid).down.sent.push(id);
        for (const line of lines) session.enqueue(line);
      }
    });
  }

  #nextSerial(): number {
    this.#serial += 1;
    return this.#serial;
  }

  /** One frame each way for everybody. */
  sendAll(): void {
    for (const party of this.parties.living) party.sendUp(this.#nextSerial());
    this.#sendDown(this.#nextSerial());
  }

  // ——— what can be done to the ends ———

  restart(): void {
    for (const session of this.server.registry.sessions()) this.ledgers.life(session.sid).over = true;
    this.server.restart();
    this.#requests.restart();
    this.network.cutAll();
  }

  kick(): boolean {
    const sessions = [...this.server.registry.sessions()];
    if (sessions.length === 0) return false;
    const session = this.random.pick(sessions);
    this.ledgers.excuse(session.sid, 'kicked');
    this.server.turn(() => session.end('kicked', 'enough', this.time.now));
    return true;
  }

  close(party: Party): void {
    party.client.thaw();
    party.over = true;
    const { attach } = party.wire;
    if (attach !== null) this.#goodbyes.add(attach.cid);
    for (const session of this.server.registry.sessions()) {
      // The client may not know the session that answers its attach.
      if (session.sid === party.sid || session.cid === attach?.cid) this.ledgers.excuse(session.sid, 'closed');
    }
    party.client.input((session, now) => session.close(now));
  }

  /** Who a party is has changed, as when somebody else logs in on the same page. */
  changeIdentity(party: Party): boolean {
    if (!this.hasCredentials) return false;
    this.#users.set(party.name, this.newId());
    for (const session of this.server.registry.sessions())
      if (session.cid === party.wire.attach?.cid) this.ledgers.excuse(session.sid, 'identity');
    this.ledgers.excuse(party.sid, 'identity');
    return true;
  }

  /** The credentials that a party has count no more. Not again before it came in with fresh ones: a second refusal in a row is final. */
  expireCredentials(party: Party): boolean {
    if (!this.hasCredentials || party.acceptedToken !== party.token) return false;
    party.token += 1;
    this.#tokens.set(party.name, party.token);
    return true;
  }

  /** SESSION C11: a copy of a client, key and all, attaches once. */
  twin(party: Party): boolean {
    const { sid, session } = { sid: party.sid, session: party.client.session };
    const { attach } = party.wire;
    const key = sid === null ? undefined : this.server.registry.session(sid)?.key;
    if (key === undefined || attach === null) return false;
    this.ledgers.excuse(sid, 'twin');
    const auth = this.hasCredentials ? { auth: `${party.name}.${party.token}` } : {};
    const gen = session.gen + this.random.int(1, 4);
    const header = { v: 1, cid: attach.cid, key, gen, rx: session.ledger.rx, mode: 'poll', hold: 0, ...auth };
    this.log.add('twin', 'attach', header);
    this.network.server.request(`${JSON.stringify([0, header])}\n`, { lines: () => {}, end: () => {} });
    return true;
  }

  /** SESSION H2: a POST that leaves frames out is refused, and nothing of it is taken. */
  gap(party: Party): boolean {
    const session = party.sid === null ? undefined : this.server.registry.session(party.sid);
    if (session === undefined || session.mode === 'websocket') return false;
    const { key, gen, ledger } = session;
    const header = { key, node: 'n1', gen, n: 1_000_000, base: ledger.rx + this.random.int(1, 3) };
    const answer: string[] = [];
    const sink = { lines: (lines: readonly string[]) => void answer.push(...lines), end: () => {} };
    this.network.server.request(`${JSON.stringify([11, header])}\n[18,999999999,"c","m",null]\n`, sink);
    check(isRefusal(answer[0]), 1, () => `a POST with a gap was answered ${answer[0]}`);
    return true;
  }

  /** SESSION H3: a poll that was overtaken by a later one is answered empty, at once, and the later one is held on. */
  latePoll(party: Party): boolean {
    const session = party.sid === null ? undefined : this.server.registry.session(party.sid);
    if (session === undefined || session.mode !== 'poll') return false;
    const { key, gen, ledger } = session;
    const newest = this.#requests.newestPoll(key, gen);
    if (newest < 2) return false;
    const header = { key, node: 'n1', gen, n: this.random.int(1, newest - 1), rx: ledger.acked, hold: 25_000 };
    const answer: string[] = [];
    const sink = { lines: (lines: readonly string[]) => void answer.push(...lines), end: () => {} };
    this.network.server.request(`${JSON.stringify([10, header])}\n`, sink);
    check(answer.map(typeOf).join() === '10,13', 10, () => `a late poll was answered ${answer.join(' ')}`);
    return true;
  }
}

const FRAGMENT_CHARS = 50;
const sidOf = (key: string): string => key.split('.')[0] ?? '';
