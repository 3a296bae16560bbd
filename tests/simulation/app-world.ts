/** Clients and a server over a bad network and a bad broker, with the shipped channel core, application, hub and memory broker above the sessions. */
import { type Identity, type PresenceEntry, type ServerApp, TRANSPORTS, type Transport, Type } from '@runnel/protocol';
import { FAIR, type Random, VirtualNetwork, VirtualServer, VirtualTime } from '@runnel/protocol/testing';
import { type Broker, type SharedLine, sharedLine } from '@runnel/server';
import { CHANNELS, type ChannelName } from './app-contract.ts';
import { AppNode } from './app-node.ts';
import { AppParty } from './app-party.ts';
import { AppTraffic } from './app-traffic.ts';
import type { Board } from './board.ts';
import { ChannelTruth } from './channel-truth.ts';
import { Coverage } from './coverage.ts';
import { EventLog } from './event-log.ts';
import { RequestChecker } from './request-checker.ts';
import { UnsureBroker } from './unsure-broker.ts';
import { Violation } from './violation.ts';

const PARTIES_MAX = 3;

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
  /** How often the handler of a request ran, by its payload. */
  readonly runs = new Map<string, number>();
  readonly #requests: RequestChecker<SharedLine, Identity>;
  readonly #traffic: AppTraffic;
  readonly #brokers: UnsureBroker;
  /** Whether handlers fail now and then. */
  readonly #clumsy: boolean;
  /** Idempotency keys with the incarnation that each was seen in last. */
  readonly #keys = new Map<string, string>();
  parties: AppParty[] = [];
  healed = false;
  broker: Broker;
  node: AppNode;
  #joined = 0;
  #ids = 0;
  /** What went wrong where nobody could be told: in a promise. */
  #violation: unknown = null;

  constructor(random: Random, hashed = false) {
    this.random = random;
    this.log = new EventLog(() => this.time.now, { hashed });
    this.transports = random.chance(0.6) ? TRANSPORTS : [random.pick(TRANSPORTS)];
    const { time, coverage, newId } = this;
    this.#brokers = new UnsureBroker({ time, random, coverage, newId });
    this.#traffic = new AppTraffic({
      ...{ random, newId, living: () => this.living },
      broadcast: (channel, event, text) => this.node.broadcast(channel, event, text),
    });
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
    this.broker = this.#brokers.create();
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

  get boards(): ReadonlyMap<string, Board> {
    return this.#traffic.boards;
  }
  get living(): AppParty[] {
    return this.parties.filter(({ over }) => !over);
  }
  get clients() {
    return this.living.map(({ client }) => client);
  }

  readonly leftovers = 0;

  get streams() {
    return this.node.streams;
  }

  hasSession(client: string): boolean {
    return [...this.server.registry.sessions()].some((session) => session.client === client);
  }

  members(channel: string): Promise<readonly PresenceEntry[]> {
    return this.node.members(channel);
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
    this.#traffic.start(party);
  }

  act(count: number): void {
    this.#traffic.act(count);
  }

  sayUnsaid(): void {
    this.#traffic.sayUnsaid();
  }

  sayInAll(): void {
    this.#traffic.sayInAll();
  }

  /** The node is killed; the broker lives on, or goes with it. */
  restart(keepsLog: boolean): void {
    this.node.kill();
    if (!keepsLog) this.broker = this.#brokers.create();
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
    this.#brokers.shake();
  }

  /** The broker fares well, and everybody reads on. */
  heal(): void {
    this.#brokers.heal();
    this.healed = true;
  }

  /** More than slow subscribers are sent, in the channels that bear it. The broker brings it in order: without a log, disorder is loss. */
  crowd(): void {
    this.#brokers.slowMs = 0;
    for (const port of this.server.ports) {
      port.congest();
      this.time.after(this.random.int(500, 2_000), () => port.drain());
    }
    this.#traffic.sayMuch();
  }
}
