/** Clients and a server over a bad network and a bad broker, with the shipped channel core, application, hub and memory broker above the sessions. */
import { type Identity, type ServerApp, TRANSPORTS, type Transport, Type } from '@runnel/protocol';
import { FAIR, type Random, VirtualNetwork, VirtualServer, VirtualTime } from '@runnel/protocol/testing';
import { type Broker, type MemoryBrokerStep, memoryBroker, type SharedLine, sharedLine } from '@runnel/server';
import { CHANNELS, type ChannelName, hasState, isLossy } from './app-contract.ts';
import { AppNode, Told } from './app-node.ts';
import { AppParty } from './app-party.ts';
import { Board } from './board.ts';
import { ChannelTruth } from './channel-truth.ts';
import { Coverage } from './coverage.ts';
import { EventLog } from './event-log.ts';
import { RequestChecker } from './request-checker.ts';
import { Violation } from './violation.ts';

const PARTIES_MAX = 3;
const SYMBOLS = ['a', 'b', 'c'] as const;
const CELLS = ['x', 'y', 'z'] as const;

export class AppWorld {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly coverage = new Coverage();
  readonly log: EventLog;
  readonly truth = new ChannelTruth();
  readonly server: VirtualServer<SharedLine, Identity>;
  readonly network: VirtualNetwork;
  readonly transports: readonly Transport[];
  readonly channels: readonly ChannelName[] = CHANNELS;
  /** What the database has of the channels with a state. It outlives the server. */
  readonly boards: ReadonlyMap<string, Board> = new Map(CHANNELS.filter(hasState).map((name) => [name, new Board()]));
  /** How often the handler of a request ran, by its payload. */
  readonly runs = new Map<string, number>();
  readonly #requests: RequestChecker<SharedLine, Identity>;
  /** The longest that a step of the broker takes, ms. */
  #slowMs: number;
  /** Whether handlers fail now and then. */
  readonly #clumsy: boolean;
  /** Idempotency keys with the incarnation that each was seen in last. */
  readonly #keys = new Map<string, string>();
  parties: AppParty[] = [];
  healed = false;
  broker: Broker;
  node: AppNode;
  /** Probabilities: a broker step that fails, a message that one node does not hear of. */
  #failing = 0;
  #losing = 0;
  #joined = 0;
  #ids = 0;
  /** What went wrong where nobody could be told: in a promise. */
  #violation: unknown = null;

  constructor(random: Random, hashed = false) {
    this.random = random;
    this.log = new EventLog(() => this.time.now, { hashed });
    this.transports = random.chance(0.6) ? TRANSPORTS : [random.pick(TRANSPORTS)];
    this.#slowMs = random.pick([0, 5, 100, 800]);
    this.#clumsy = random.chance(0.5);
    this.server = new VirtualServer<SharedLine, Identity>({
      time: this.time,
      newId: this.newId,
      authMs: () => random.int(0, 50),
      authenticate: (auth) => ({ id: String(auth) }),
      limits: {
        ttlMs: random.pick([20_000, 120_000]),
        waitingMessages: random.pick([3, 1_000]),
        ...(random.chance(0.2) ? { outboxFrames: 60 } : {}),
      },
      line: sharedLine,
      app: this.#delegate(),
    });
    this.broker = this.#newBroker();
    this.node = this.#newNode();
    this.#requests = new RequestChecker({
      server: this.server,
      now: () => this.time.now,
      coverage: this.coverage,
      authMs: 50,
      sidOf: (key) => key.split('.')[0] ?? '',
    });
    const slowMs = random.pick([5, 20, 80]);
    this.network = new VirtualNetwork({
      time: this.time,
      random,
      server: this.#requests,
      weather: { ...FAIR, delay: () => slowMs * (0.5 + random.next()) },
      happened: (mishap) => this.coverage.saw(mishap),
    });
    for (let i = random.int(1, PARTIES_MAX); i > 0; i -= 1) this.join();
  }

  readonly newId = (): string => {
    this.#ids += 1;
    return `id${this.#ids}`;
  };

  get living(): AppParty[] {
    return this.parties.filter(({ over }) => !over);
  }
  get clients() {
    return this.living.map(({ client }) => client);
  }

  check(): void {
    if (this.#violation !== null) throw this.#violation;
    this.#requests.check(this.time.now);
  }

  // ——— the node ———

  #delegate(): ServerApp<SharedLine, Identity> {
    return {
      created: (session, subs, settled) => this.node.application.created(session, subs, settled),
      frame: (session, frame) => {
        if (frame[0] === Type.publish) this.#noteKey(frame[5], session.sid);
        else if (frame[0] === Type.request && frame[6]?.again) this.coverage.saw('asked again');
        this.node.application.frame(session, frame);
      },
      confirmed: (session) => this.node.application.confirmed(session),
      resumed: (session) => this.node.application.resumed(session),
      reachable: (session, reachable) => this.node.application.reachable(session, reachable),
      ended: (session, code) => {
        this.log.add('server', 'ended', `${session.sid} ${code}`);
        this.node.application.ended(session, code);
      },
    };
  }

  #noteKey(key: string, sid: string): void {
    if ((this.#keys.get(key) ?? sid) !== sid) this.coverage.saw('sent again');
    this.#keys.set(key, sid);
  }

  get #clock() {
    return { now: () => this.time.now, after: (ms: number, run: () => void) => this.time.after(ms, run) };
  }

  #newBroker(): Broker {
    return memoryBroker({ clock: this.#clock, newId: this.newId, latency: (step) => this.#latency(step) });
  }

  /** Every step of the broker takes its time, now and then fails, and a message may not reach a node. */
  #latency(step: MemoryBrokerStep): Promise<void> | undefined {
    const { random, coverage } = this;
    const loses = step === 'deliver' ? this.#losing : this.#failing;
    const ms = this.#slowMs * random.next();
    const fails = loses > 0 && random.chance(loses);
    if (ms === 0 && !fails) return undefined;
    if (fails) coverage.saw(step === 'deliver' ? 'message lost' : 'broker failure');
    return new Promise((resolve, reject) => {
      this.time.after(ms, () => (fails ? reject(new Told('the broker is down')) : resolve()));
    });
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#violation ??= error;
    }
  }

  #newNode(): AppNode {
    const { time, random, coverage } = this;
    return new AppNode({
      broker: this.broker,
      limits: this.server.limits,
      time,
      random,
      coverage,
      clumsy: this.#clumsy,
      onAccepted: (channel, text, { epoch, offset }) => {
        this.log.add('broker', 'accepted', `${channel} ${epoch}-${offset} ${text}`);
        this.#guard(() => this.truth.note(channel, epoch, offset, text));
      },
      onError: (error) => {
        const what = error instanceof Error ? error.stack : error;
        this.#violation ??= new Violation(8, `the application reported ${what}`);
      },
      onRun: (method, text) => {
        const runs = (this.runs.get(text) ?? 0) + 1;
        this.runs.set(text, runs);
        if (runs === 1) return;
        if (method === 'again') coverage.saw('ran again');
        else this.#violation ??= new Violation(8, `${method} of ${text} ran ${runs} times`);
      },
      cellsOf: (channel) => this.boards.get(channel)?.cells ?? {},
    });
  }

  // ——— what can be done ———

  join(): void {
    if (this.living.length >= PARTIES_MAX) return;
    this.#joined += 1;
    this.parties = this.living;
    const party = new AppParty(this, `c${this.#joined}`);
    this.parties.push(party);
    for (const channel of CHANNELS) if (this.random.chance(0.6)) party.toggle(channel);
  }

  act(count: number): void {
    const { random } = this;
    for (let i = 0; i < count && this.living.length > 0; i += 1) {
      const party = random.pick(this.living);
      const kind = random.next();
      if (kind < 0.45) party.publish(random.pick(['room/a', 'room/b', 'ticker/a']));
      else if (kind < 0.6) party.request(random.pick(['echo', 'echo', 'again']));
      else if (kind < 0.68) party.stream();
      else if (kind < 0.85) this.say(random.pick(CHANNELS), random.int(1, 6));
      else if (kind < 0.88) party.whisper('ticker/a');
      else if (kind < 0.94) party.appear(random.pick(['room/a', 'room/b']));
      else party.toggle(random.pick(CHANNELS));
    }
  }

  /** The server says something by itself. */
  say(channel: ChannelName, count = 1): void {
    const { random } = this;
    for (let i = 0; i < count; i += 1) {
      if (hasState(channel)) this.#set(channel, random.pick(CELLS));
      else if (channel !== 'quotes/a') this.#broadcast(channel, 'message', `server.${this.newId()}`);
      else if (random.chance(0.2)) this.#broadcast(channel, 'note', `server.${this.newId()}`);
      else this.#broadcast(channel, 'quote', `${random.pick(SYMBOLS)}:server.${this.newId()}`);
    }
  }

  #broadcast(channel: string, event: string, text: string): Promise<unknown> {
    // What fails is told to the application, and here.
    return this.node.broadcast(channel, event, text).catch(() => null);
  }

  /** Writes a cell into the database, and says so. */
  #set(channel: string, cell: string): void {
    const written = this.boards.get(channel)?.write(cell);
    if (written === undefined) return;
    void this.#broadcast(channel, 'set', written.text).then((position) => {
      if (position !== null) written.accepted();
    });
  }

  /** What the broker has not accepted, as far as anybody knows, is said once more. */
  sayUnsaid(): void {
    for (const [channel, { unsaid }] of this.boards) for (const cell of unsaid) this.#set(channel, cell);
  }

  /** The node is killed; the broker lives on, or goes with it. */
  restart(keepsLog: boolean): void {
    this.node.kill();
    if (!keepsLog) this.broker = this.#newBroker();
    this.server.restart();
    this.#requests.restart();
    this.node = this.#newNode();
    this.network.cutAll();
  }

  kick(): boolean {
    const sessions = [...this.server.registry.sessions()];
    if (sessions.length === 0) return false;
    this.server.turn(() => this.random.pick(sessions).end('kicked', 'enough', this.time.now));
    return true;
  }

  die(party: AppParty): void {
    party.over = true;
    party.client.die();
  }

  /** How the broker fares from here on. */
  shakeBroker(): void {
    this.#failing = this.random.pick([0, 0, 0.1]);
    this.#losing = this.random.pick([0, 0, 0.2]);
  }

  /** The broker fares well, and everybody reads on. */
  heal(): void {
    this.#failing = 0;
    this.#losing = 0;
    this.healed = true;
  }

  /** One more message in each channel: a message that was lost shows by the one after it. */
  sayInAll(): void {
    for (const channel of CHANNELS) this.say(channel);
  }

  /** More than slow subscribers are sent, in the channels that bear it. The broker brings it in order: without a log, disorder is loss. */
  crowd(): void {
    this.#slowMs = 0;
    for (const port of this.server.ports) {
      port.congest();
      this.time.after(this.random.int(500, 2_000), () => port.drain());
    }
    for (const channel of CHANNELS) if (isLossy(channel)) this.say(channel, 12);
  }
}
