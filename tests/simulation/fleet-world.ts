/** Clients and a cluster of nodes that run the shipped application over one broker: sessions move with all that stands above them. */
import { DEFAULT_LIMITS, type Limits, type PresenceEntry, TRANSPORTS, type Transport } from '@runnel/protocol';
import { type Random, VirtualNetwork, type VirtualPort, VirtualTime } from '@runnel/protocol/testing';
import type { Broker } from '@runnel/server';
import { Alarm } from './alarm.ts';
import type { HealingWorld } from './app-healing.ts';
import { AppParty } from './app-party.ts';
import { AppRecord } from './app-record.ts';
import { AppTraffic } from './app-traffic.ts';
import { Balancer } from './balancer.ts';
import { ClusterNodes } from './cluster-nodes.ts';
import { Coverage } from './coverage.ts';
import { EventLog } from './event-log.ts';
import { fairWeather } from './faults.ts';
import { FleetNode } from './fleet-node.ts';
import { PARTIES_MAX, Parties } from './parties.ts';
import { serialNames } from './serial-names.ts';
import { UnsureBroker } from './unsure-broker.ts';
import { Violation } from './violation.ts';
import { VirtualPost } from './virtual-post.ts';

export class FleetWorld implements HealingWorld {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly coverage = new Coverage();
  readonly log: EventLog;
  readonly record: AppRecord;
  readonly post: VirtualPost;
  readonly nodes: ClusterNodes<FleetNode>;
  readonly network: VirtualNetwork;
  readonly transports: readonly Transport[];
  readonly brokers: UnsureBroker;
  readonly broker: Broker;
  readonly traffic: AppTraffic;
  readonly parties = new Parties((name) => this.traffic.start(new AppParty(this, name)));
  readonly newId = serialNames();
  readonly #alarm = new Alarm();
  readonly #limits: Limits;
  readonly #clumsy: boolean;
  healed = false;

  constructor(random: Random, hashed = false) {
    const { time, coverage, newId } = this;
    this.random = random;
    this.log = new EventLog(() => time.now, { hashed });
    this.record = new AppRecord({ log: this.log, coverage, alarm: this.#alarm });
    this.transports = random.chance(0.7) ? TRANSPORTS : [random.pick(TRANSPORTS)];
    this.#clumsy = random.chance(0.3);
    this.#limits = {
      ...DEFAULT_LIMITS,
      ttlMs: random.pick([20_000, 120_000]),
      waitingMessages: random.pick([3, 1_000]),
    };
    this.brokers = new UnsureBroker({ time, random, coverage, newId });
    this.broker = this.brokers.create();
    this.traffic = new AppTraffic({
      ...{ random, newId, living: () => this.parties.living },
      broadcast: (channel, event, text) => random.pick(this.nodes.alive).app.broadcast(channel, event, text),
    });
    this.post = new VirtualPost({ time, random, onLost: () => coverage.saw('post lost') });
    this.post.onAnnounced = (channel, announcement) => {
      for (const { app, edge } of this.nodes.alive)
        if (!this.post.isCut(edge.node)) app.announce(channel, announcement);
    };
    this.nodes = new ClusterNodes({
      ...{ time, log: this.log, post: this.post },
      create: (name) => this.#newNode(name),
    });
    this.network = new VirtualNetwork({
      ...{ time, random },
      server: new Balancer({ random, alarm: this.#alarm, edges: () => this.nodes.edges }),
      weather: fairWeather(random, [5, 20, 80]),
      happened: (mishap) => coverage.saw(mishap),
    });
    for (let i = random.int(2, 3); i > 0; i -= 1) this.nodes.start();
    for (let i = random.int(1, PARTIES_MAX); i > 0; i -= 1) this.parties.join();
  }

  #newNode(name: string): FleetNode {
    const { time, random, post, coverage, newId, broker, log, traffic } = this;
    const { onAccepted, onRun } = this.record;
    return new FleetNode({
      ...{ name, time, random, post, coverage, newId, broker, limits: this.#limits, clumsy: this.#clumsy },
      ...{ onAccepted, onRun, cellsOf: traffic.cellsOf },
      onError: (error) => {
        const what = error instanceof Error ? error.stack : error;
        this.#alarm.raise(error instanceof Violation ? error : new Violation(8, `${name} reported ${what}`));
      },
      onEnded: ({ sid }, code) => log.add(name, 'ended', `${sid} ${code}`),
    });
  }

  get streams() {
    return this.nodes.alive.flatMap(({ app }) => [...app.streams]);
  }
  /** As `disturb` wants it. */
  get server(): { readonly ports: ReadonlySet<VirtualPort>; readonly limits: Limits } {
    return { ports: this.nodes.ports, limits: this.#limits };
  }

  hasSession(client: string): boolean {
    return [...this.nodes.sessions()].some((session) => session.client === client);
  }

  members(channel: string): Promise<readonly PresenceEntry[]> {
    return this.random.pick(this.nodes.alive).app.members(channel);
  }

  check(): void {
    this.#alarm.check();
    this.nodes.check();
  }

  get leftovers(): number {
    const strangers = [...this.nodes.sessions()].length - this.parties.living.length;
    return Math.max(0, this.nodes.leftovers + strangers);
  }

  heal(): void {
    this.brokers.heal();
    this.nodes.heal();
    this.healed = true;
  }
}
