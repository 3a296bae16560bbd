/** Clients and a server over a bad network and a bad broker, with the shipped channel core, application, hub and memory broker above the sessions. */
import { type Identity, type PresenceEntry, type ServerApp, TRANSPORTS, type Transport, Type } from '@runnel/protocol';
import { type Random, VirtualNetwork, VirtualServer, VirtualTime } from '@runnel/protocol/testing';
import { type Broker, type SharedLine, sharedLine } from '@runnel/server';
import { Alarm } from './alarm.ts';
import type { HealingWorld } from './app-healing.ts';
import { AppNode } from './app-node.ts';
import { AppParty } from './app-party.ts';
import { AppRecord } from './app-record.ts';
import { AppTraffic } from './app-traffic.ts';
import { Coverage } from './coverage.ts';
import { EventLog } from './event-log.ts';
import { fairWeather } from './faults.ts';
import { PARTIES_MAX, Parties } from './parties.ts';
import { RequestChecker } from './request-checker.ts';
import { serialNames } from './serial-names.ts';
import { UnsureBroker } from './unsure-broker.ts';
import { Violation } from './violation.ts';

export class AppWorld implements HealingWorld {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly coverage = new Coverage();
  readonly log: EventLog;
  readonly record: AppRecord;
  readonly server: VirtualServer<SharedLine, Identity>;
  readonly network: VirtualNetwork;
  readonly transports: readonly Transport[];
  readonly #requests: RequestChecker<SharedLine, Identity>;
  readonly traffic: AppTraffic;
  readonly brokers: UnsureBroker;
  /** Whether handlers fail now and then. */
  readonly #clumsy: boolean;
  /** Idempotency keys with the incarnation that each was seen in last. */
  readonly #keys = new Map<string, string>();
  readonly parties = new Parties((name) => this.traffic.start(new AppParty(this, name)));
  readonly newId = serialNames();
  readonly #alarm = new Alarm();
  healed = false;
  broker: Broker;
  node: AppNode;

  constructor(random: Random, hashed = false) {
    this.random = random;
    this.log = new EventLog(() => this.time.now, { hashed });
    this.transports = random.chance(0.6) ? TRANSPORTS : [random.pick(TRANSPORTS)];
    const { time, coverage, newId } = this;
    this.record = new AppRecord({ log: this.log, coverage, alarm: this.#alarm });
    this.brokers = new UnsureBroker({ time, random, coverage, newId });
    this.traffic = new AppTraffic({
      ...{ random, newId, living: () => this.parties.living },
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
    this.broker = this.brokers.create();
    this.node = this.#newNode();
    this.#requests = new RequestChecker({
      server: this.server,
      now: () => this.time.now,
      coverage: this.coverage,
      authMs: 50,
      sidOf: (key) => key.split('.')[0] ?? '',
    });
    this.network = new VirtualNetwork({
      time: this.time,
      random,
      server: this.#requests,
      weather: fairWeather(random, [5, 20, 80]),
      happened: (mishap) => this.coverage.saw(mishap),
    });
    for (let i = random.int(1, PARTIES_MAX); i > 0; i -= 1) this.parties.join();
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
    this.#alarm.check();
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

  #newNode(): AppNode {
    const { time, random, coverage } = this;
    const { onAccepted, onRun } = this.record;
    return new AppNode({
      broker: this.broker,
      limits: this.server.limits,
      time,
      random,
      coverage,
      clumsy: this.#clumsy,
      ...{ onAccepted, onRun, cellsOf: this.traffic.cellsOf },
      onError: (error) => {
        const what = error instanceof Error ? error.stack : error;
        this.#alarm.raise(new Violation(8, `the application reported ${what}`));
      },
    });
  }

  // ——— what can be done ———

  /** The node is killed; the broker lives on, or goes with it. */
  restart(keepsLog: boolean): void {
    this.node.kill();
    if (!keepsLog) this.broker = this.brokers.create();
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

  /** The broker fares well, and everybody reads on. */
  heal(): void {
    this.brokers.heal();
    this.healed = true;
  }
}
