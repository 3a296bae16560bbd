/** Clients and a server over a bad network and a bad broker, with the shipped channel core, application, hub and memory broker above the sessions. */
import { compileContract, type Identity, type ServerApp, TRANSPORTS, type Transport } from '@runnel/protocol';
import { FAIR, type Random, VirtualNetwork, VirtualServer, VirtualTime } from '@runnel/protocol/testing';
import {
  Application,
  type Broker,
  type MemoryBrokerStep,
  memoryBroker,
  type SharedLine,
  sharedLine,
} from '@runnel/server';
import { contract } from './app-contract.ts';
import { AppParty } from './app-party.ts';
import { ChannelTruth } from './channel-truth.ts';
import { Coverage } from './coverage.ts';
import { EventLog } from './event-log.ts';
import { NodeBroker } from './node-broker.ts';
import { RequestChecker } from './request-checker.ts';
import { Violation } from './violation.ts';

const PARTIES_MAX = 3;
const CHANNELS = ['room/a', 'room/b', 'ticker/a'] as const;

/** What the handler of a publish needs of its context. */
interface PublishInput {
  readonly data: string;
  readonly channel: { broadcast(event: 'message', data: string): Promise<unknown> };
}

/** What a schedule throws on purpose. */
class Told extends Error {}

export class AppWorld {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly coverage = new Coverage();
  readonly log: EventLog;
  readonly truth = new ChannelTruth();
  readonly server: VirtualServer<SharedLine, Identity>;
  readonly network: VirtualNetwork;
  readonly transports: readonly Transport[];
  readonly channels: readonly string[] = CHANNELS;
  /** How often the handler of a request ran, by its payload. */
  readonly runs = new Map<string, number>();
  readonly #requests: RequestChecker<SharedLine, Identity>;
  readonly #slowMs: number;
  /** Whether handlers fail now and then. */
  readonly #clumsy: boolean;
  /** Idempotency keys with the incarnation that each was seen in last. */
  readonly #keys = new Map<string, string>();
  parties: AppParty[] = [];
  broker: Broker;
  #node: NodeBroker;
  application: Application<Identity>;
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
      limits: { ttlMs: random.pick([20_000, 120_000]), ...(random.chance(0.2) ? { outboxFrames: 60 } : {}) },
      line: sharedLine,
      app: this.#delegate(),
    });
    this.broker = this.#newBroker();
    this.#node = this.#connect();
    this.application = this.#newApplication();
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
      created: (session, subs, settled) => this.application.created(session, subs, settled),
      frame: (session, frame) => {
        if (frame[0] === 22) this.#noteKey(frame[5], session.sid);
        this.application.frame(session, frame);
      },
      confirmed: (session) => this.application.confirmed(session),
      resumed: (session) => this.application.resumed(session),
      reachable: (session, reachable) => this.application.reachable(session, reachable),
      ended: (session, code) => {
        this.log.add('server', 'ended', `${session.sid} ${code}`);
        this.application.ended(session, code);
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

  #connect(): NodeBroker {
    return new NodeBroker(this.broker, (channel, { data }, { epoch, offset }) => {
      this.log.add('broker', 'accepted', `${channel} ${epoch}-${offset} ${data}`);
      this.#guard(() => this.truth.note(channel, epoch, offset, JSON.parse(data) as string));
    });
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#violation ??= error;
    }
  }

  #newApplication(): Application<Identity> {
    const application = new Application<Identity>({
      contract: compileContract(contract),
      broker: this.#node,
      limits: this.server.limits,
      clock: this.#clock,
      reauthenticate: (auth) => ({ id: String(auth) }),
      onError: (error) => {
        const told = error instanceof Told || (error as { cause?: unknown }).cause instanceof Told;
        if (!told)
          this.#violation ??= new Violation(
            8,
            `the application reported ${error instanceof Error ? error.stack : error}`,
          );
      },
    });
    application.handlers.add('room/:room', {
      open: true,
      publish: {
        message: async ({ data, channel }: PublishInput) => {
          await this.#work();
          const accepted = channel.broadcast('message', data);
          // A publish is done when what it broadcast is accepted, whether its handler waits for that or not.
          if (this.random.chance(0.5)) await accepted;
        },
      },
      requests: {
        echo: async ({ data }: { data: string }) => {
          const runs = (this.runs.get(data) ?? 0) + 1;
          this.runs.set(data, runs);
          if (runs > 1) this.#violation ??= new Violation(8, `the request of ${data} ran ${runs} times`);
          await this.#work();
          return data;
        },
      },
    });
    application.handlers.add('ticker/:room', { open: true });
    return application;
  }

  /** What a handler does before it answers. */
  #work(): Promise<void> {
    const { random } = this;
    const ms = random.pick([0, 0, 10, 400]) * random.next();
    const fails = this.#clumsy && random.chance(0.05);
    if (fails) this.coverage.saw('handler failure');
    return new Promise((resolve, reject) => {
      this.time.after(ms, () => (fails ? reject(new Told('the handler failed')) : resolve()));
    });
  }

  // ——— what can be done ———

  join(): void {
    if (this.living.length >= PARTIES_MAX) return;
    this.#joined += 1;
    this.parties = this.living;
    const party = new AppParty(this, `c${this.#joined}`);
    this.parties.push(party);
    for (const channel of CHANNELS) if (this.random.chance(0.7)) party.toggle(channel);
  }

  act(count: number): void {
    const { random } = this;
    for (let i = 0; i < count && this.living.length > 0; i += 1) {
      const party = random.pick(this.living);
      const channel = random.pick(CHANNELS);
      const kind = random.next();
      if (kind < 0.7) party.publish(channel);
      else if (kind < 0.95) party.request('room/a');
      else party.toggle(channel);
    }
  }

  /** The node is killed; the broker lives on, or goes with it. */
  restart(keepsLog: boolean): void {
    this.#node.cut();
    if (!keepsLog) this.broker = this.#newBroker();
    this.#node = this.#connect();
    this.server.restart();
    this.#requests.restart();
    this.application = this.#newApplication();
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

  healBroker(): void {
    this.#failing = 0;
    this.#losing = 0;
  }

  /** One more message in each channel: a message that was lost shows by the one after it. */
  broadcastAll(): void {
    for (const name of CHANNELS) {
      const [kind, room = ''] = name.split('/');
      void this.application.channel(`${kind}/:room`, { room }).broadcast('message', `server.${this.newId()}`);
    }
  }
}
