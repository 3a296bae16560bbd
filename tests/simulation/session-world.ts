/** One client and one server over a bad network: the shipped session cores with applications that send numbered frames and check them. */
import { ClientSession, type Line, splitLine, type Transport, TRANSPORTS } from '@runnel/protocol';
import { FAIR, type Random, VirtualClient, VirtualNetwork, VirtualServer, VirtualTime } from '@runnel/protocol/testing';
import { check, LedgerChecker } from './ledger-checker.ts';
import { SocketChecker } from './socket-checker.ts';

const line = (text: string): Line => ({ text, size: text.length + 1 });

export class SessionWorld {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly server: VirtualServer;
  readonly network: VirtualNetwork;
  readonly client: VirtualClient;
  readonly checker = new LedgerChecker();
  readonly transports: readonly Transport[];
  /** What happened, for the account of a failure. */
  readonly log: string[] = [];
  /** Attaches that the client has sent, by time. */
  readonly attachTimes: number[] = [];
  readonly #sockets = new SocketChecker();
  readonly #requests = new Map<number, { at: number; holdMs: number }>();
  #serial = 0;
  #requestSerial = 0;
  #attaches = 0;
  /** The incarnation that the client believes in. */
  #sid: string | null = null;
  losses = 0;

  constructor(random: Random) {
    this.random = random;
    let ids = 0;
    const newId = (): string => `id${(ids += 1)}`;
    this.transports = random.chance(0.6) ? TRANSPORTS : TRANSPORTS.filter(() => random.chance(0.6));
    if (this.transports.length === 0) this.transports = [random.pick(TRANSPORTS)];
    const authMs = random.chance(0.5) ? () => 0 : () => random.int(0, 300);
    const small = random.chance(0.15);
    this.server = new VirtualServer({
      time: this.time,
      newId,
      authMs,
      limits: {
        ttlMs: random.pick([20_000, 120_000]),
        ...(small ? { outboxFrames: 40 } : {}),
        batchBytes: random.pick([2_000, 262_144]),
        fragmentChars: 50,
      },
      app: {
        created: (_session, _subs, settled) => settled(),
        frame: (session, frame) => {
          if (frame[0] === 9) this.checker.volatile(Number(frame[3]), 'server');
          else this.checker.up(session.sid).take(Number(frame[1]), 'the server');
        },
        confirmed: () => {},
        resumed: () => {},
        reachable: () => {},
        overflowed: (session) => this.checker.over(session.sid),
        ended: (session, code) => {
          this.log.push(`${this.time.now} server ended ${session.sid}: ${code}`);
          this.checker.over(session.sid);
        },
      },
    });
    const slowMs = random.pick([5, 20, 80, 300]);
    this.network = new VirtualNetwork({
      time: this.time,
      random,
      server: this.server,
      weather: { ...FAIR, delay: () => slowMs * (0.5 + random.next()) },
    });
    const session = new ClientSession({
      app: {
        subs: () => [],
        lost: () => {
          this.log.push(`${this.time.now} client lost ${this.#sid}`);
          if (this.#sid !== null) this.checker.lost(this.#sid);
          this.losses += 1;
        },
        attached: () => {
          this.#sid = this.client.session.sid;
        },
        frame: (frame) => {
          if (frame[0] === 9) this.checker.volatile(Number(frame[3]), 'client');
          else this.checker.down(this.client.session.sid ?? '').take(Number(frame[1]), 'the client');
        },
        state: (state) => this.log.push(`${this.time.now} ${JSON.stringify(state)}`),
        attempt: () => {},
      },
      newId,
      random: random.next,
      transports: this.transports,
      hasCredentials: false,
    });
    this.#watch(session);
    this.client = new VirtualClient({ network: this.network, session });
    this.client.input((started, now) => started.start(now));
  }

  /** Looks at everything that passes between the core and the network. */
  #watch(session: ClientSession): void {
    const takeEffects = session.takeEffects.bind(session);
    session.takeEffects = () => {
      const effects = takeEffects();
      for (const effect of effects) {
        if (this.log.length < 4_000) this.log.push(`${this.time.now} > ${JSON.stringify(effect).slice(0, 200)}`);
        if (effect.type === 'send') this.#sockets.sent(effect.carrier, effect.text);
        else if (effect.type === 'request') this.#sockets.posted(effect.body);
      }
      while (this.#attaches < session.counts.attaches) {
        this.#attaches += 1;
        this.attachTimes.push(this.time.now);
      }
      return effects;
    };
    const handleLine = session.handleLine.bind(session);
    session.handleLine = (carrier, text, now) => {
      if (this.log.length < 4_000) this.log.push(`${now} < ${carrier} ${text.slice(0, 200)}`);
      this.#sockets.received(carrier, text);
      handleLine(carrier, text, now);
    };
    this.#watchRequests();
  }

  /** Invariant 10: every request ends in time. */
  #watchRequests(): void {
    const request = this.server.request.bind(this.server);
    this.server.request = (body, sink) => {
      const header = JSON.parse(body.slice(0, body.indexOf('\n'))) as [number, { hold?: number; mode?: string }];
      const stays = header[0] === 6 || header[1].mode === 'stream';
      this.#requestSerial += 1;
      const serial = this.#requestSerial;
      if (!stays) this.#requests.set(serial, { at: this.time.now, holdMs: header[1].hold ?? 0 });
      const gone = request(body, {
        lines: (lines) => sink.lines(lines),
        end: () => {
          this.#requests.delete(serial);
          sink.end();
        },
      });
      return () => {
        this.#requests.delete(serial);
        gone();
      };
    };
  }

  /** Every invariant that must hold at every moment. */
  check(): void {
    const { session } = this.client;
    this.checker.state(session, this.server.registry.sessions());
    for (const { at, holdMs } of this.#requests.values()) {
      check(this.time.now <= at + holdMs + 1_500, 10, () => `a request of ${at} with hold ${holdMs} is not answered at ${this.time.now}`);
    }
    check(session.carrierCount <= 8, 13, () => `${session.carrierCount} carriers are open`);
    check(this.server.registry.linkCount <= 60, 13, () => `${this.server.registry.linkCount} links are open at the server`);
  }

  sendUp(): void {
    this.#serial += 1;
    const id = this.#serial;
    this.client.input((session, now) => {
      const data = this.random.chance(0.05) ? JSON.stringify('x'.repeat(this.random.int(40, 400))) : 'null';
      const text = `[18,${id},"c","m",${data}]`;
      const lines = text.length > 100 ? splitLine(text, { lineBytes: 100, fragmentChars: 40 }) : [text];
      const { sid } = session;
      if (sid === null) return;
      // Told to the checker first: what is sent may be taken in the same turn.
      const { sent } = this.checker.up(sid);
      sent.push(id);
      if (!session.send(lines.map(line), now)) sent.pop();
    });
  }

  sendDown(): void {
    this.server.turn(() => {
      for (const session of this.server.registry.sessions()) {
        this.#serial += 1;
        const data = this.random.chance(0.05) ? JSON.stringify('y'.repeat(this.random.int(40, 400))) : 'null';
        const text = `[19,${this.#serial},${data}]`;
        this.checker.down(session.sid).sent.push(this.#serial);
        const lines = text.length > 100 ? splitLine(text, { lineBytes: 100, fragmentChars: 40 }) : [text];
        for (const part of lines) session.enqueue(line(part));
      }
    });
  }

  sendVolatiles(): void {
    this.#serial += 1;
    const id = this.#serial;
    this.client.input((session, now) => void session.sendLoose(line(`[9,"c","e",${id}]`), now));
    this.server.turn(() => {
      for (const session of this.server.registry.sessions()) session.sendLoose(line(`[9,1,0,${id}]`));
    });
  }

  restart(): void {
    for (const session of this.server.registry.sessions()) this.checker.over(session.sid);
    this.server.restart();
    this.#requests.clear();
    this.network.cutAll();
    this.log.push(`${this.time.now} restart`);
  }

  /** Whether everything sent in the client's incarnation has arrived, and nothing waits. */
  get settled(): boolean {
    const { sid, ledger } = this.client.session;
    const session = sid === null ? undefined : this.server.registry.session(sid);
    if (sid === null || session === undefined) return false;
    return this.checker.up(sid).complete && this.checker.down(sid).complete && ledger.acked === ledger.tx;
  }
}
