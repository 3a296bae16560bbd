/** Clients and a cluster of nodes that run the shipped application over one broker: sessions move with all that stands above them. */
import { DEFAULT_LIMITS, type Limits, type PresenceEntry, TRANSPORTS, type Transport } from '@runnel/protocol';
import {
  FAIR,
  type Random,
  type ServerEnd,
  type Sink,
  VirtualNetwork,
  type VirtualPort,
  type VirtualSocketEnd,
  VirtualTime,
} from '@runnel/protocol/testing';
import type { Broker } from '@runnel/server';
import { CHANNELS, type ChannelName } from './app-contract.ts';
import type { HealingWorld } from './app-healing.ts';
import { AppParty } from './app-party.ts';
import { AppTraffic } from './app-traffic.ts';
import type { Board } from './board.ts';
import { ChannelTruth } from './channel-truth.ts';
import { Coverage } from './coverage.ts';
import { EventLog } from './event-log.ts';
import { FleetNode } from './fleet-node.ts';
import { UnsureBroker } from './unsure-broker.ts';
import { Violation } from './violation.ts';
import { VirtualPost } from './virtual-post.ts';

const PARTIES_MAX = 3;
const NODES_MAX = 4;

export class FleetWorld implements HealingWorld, ServerEnd {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly coverage = new Coverage();
  readonly log: EventLog;
  readonly truth = new ChannelTruth();
  readonly post: VirtualPost;
  readonly network: VirtualNetwork;
  readonly transports: readonly Transport[];
  readonly channels: readonly ChannelName[] = CHANNELS;
  readonly runs = new Map<string, number>();
  readonly broker: Broker;
  readonly nodes: FleetNode[] = [];
  readonly #limits: Limits;
  readonly #brokers: UnsureBroker;
  readonly #traffic: AppTraffic;
  readonly #clumsy: boolean;
  parties: AppParty[] = [];
  healed = false;
  #joined = 0;
  #ids = 0;
  #violation: unknown = null;

  constructor(random: Random, hashed = false) {
    this.random = random;
    this.log = new EventLog(() => this.time.now, { hashed });
    this.transports = random.chance(0.7) ? TRANSPORTS : [random.pick(TRANSPORTS)];
    this.#clumsy = random.chance(0.3);
    this.#limits = {
      ...DEFAULT_LIMITS,
      ttlMs: random.pick([20_000, 120_000]),
      waitingMessages: random.pick([3, 1_000]),
    };
    const { time, coverage, newId } = this;
    this.#brokers = new UnsureBroker({ time, random, coverage, newId });
    this.broker = this.#brokers.create();
    this.#traffic = new AppTraffic({
      ...{ random, newId, living: () => this.living },
      broadcast: (channel, event, text) => random.pick(this.alive).app.broadcast(channel, event, text),
    });
    this.post = new VirtualPost({ time, random, onLost: () => coverage.saw('post lost') });
    this.post.onCut = (name, isCut) => this.alive.find(({ node }) => node === name)?.setCutOff(isCut);
    this.post.onAnnounced = (channel, announcement) => {
      for (const { app, node } of this.alive) if (!this.post.isCut(node)) app.announce(channel, announcement);
    };
    const slowMs = random.pick([5, 20, 80]);
    this.network = new VirtualNetwork({
      ...{ time, random, server: this },
      weather: { ...FAIR, delay: () => slowMs * (0.5 + random.next()) },
      happened: (mishap) => coverage.saw(mishap),
    });
    for (let i = random.int(2, 3); i > 0; i -= 1) this.start();
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
  get alive(): FleetNode[] {
    return this.nodes.filter(({ edge }) => !edge.dead);
  }
  get boards(): ReadonlyMap<string, Board> {
    return this.#traffic.boards;
  }
  get streams() {
    return this.alive.flatMap(({ app }) => [...app.streams]);
  }
  /** As `disturbNetwork` wants it. */
  get server(): { readonly ports: ReadonlySet<VirtualPort>; readonly limits: Limits } {
    return { ports: new Set(this.alive.flatMap(({ edge }) => [...edge.server.ports])), limits: this.#limits };
  }

  hasSession(client: string): boolean {
    return this.alive.some(({ edge }) =>
      [...edge.server.registry.sessions()].some((session) => session.client === client),
    );
  }

  members(channel: string): Promise<readonly PresenceEntry[]> {
    return this.random.pick(this.alive).app.members(channel);
  }

  /** Invariant 4, and what went wrong where nobody could be told. */
  check(): void {
    if (this.#violation !== null) throw this.#violation;
    const owners = new Map<string, string>();
    for (const { node, edge } of this.alive) {
      for (const { sid } of edge.server.registry.sessions()) {
        const other = owners.get(sid);
        if (other !== undefined) throw new Violation(4, `${other} and ${node} both own ${sid}`);
        owners.set(sid, node);
      }
    }
  }

  /** What nodes keep for sessions that are elsewhere, and sessions whose clients have others. */
  get leftovers(): number {
    let left = -this.living.length;
    for (const { edge } of this.alive) {
      const { estates, pending } = edge.handOvers.counts;
      left += estates + pending + edge.server.registry.size;
    }
    return Math.max(0, left);
  }

  // ——— the balancer ———

  openSocket(sink: Sink): VirtualSocketEnd {
    const { edge } = this.#next();
    const end = edge.server.openSocket(fromLiving(edge, sink));
    return {
      message: (text) => {
        if (!edge.dead) this.#guard(() => end.message(text));
      },
      closed: () => {
        if (!edge.dead) this.#guard(() => end.closed());
      },
    };
  }

  request(body: string, sink: Sink): () => void {
    const { edge } = this.#next();
    const gone = edge.server.request(body, fromLiving(edge, sink));
    return () => {
      if (!edge.dead) gone();
    };
  }

  #next(): FleetNode {
    const open = this.alive.filter(({ edge }) => !edge.draining);
    return this.random.pick(open.length > 0 ? open : this.alive);
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#violation ??= error;
    }
  }

  // ——— what can be done ———

  act(count: number): void {
    this.#traffic.act(count);
  }
  sayUnsaid(): void {
    this.#traffic.sayUnsaid();
  }
  sayInAll(): void {
    this.#traffic.sayInAll();
  }

  join(): void {
    if (this.living.length >= PARTIES_MAX) return;
    this.#joined += 1;
    this.parties = this.living;
    const party = new AppParty(this, `c${this.#joined}`);
    this.parties.push(party);
    this.#traffic.start(party);
  }

  start(): boolean {
    if (this.alive.length >= NODES_MAX) return false;
    const { time, random, post, coverage, newId, broker } = this;
    const node = new FleetNode({
      ...{ time, random, post, coverage, newId, broker, limits: this.#limits, clumsy: this.#clumsy },
      name: `n${this.nodes.length + 1}`,
      onAccepted: (channel, text, { epoch, offset }) => {
        this.log.add('broker', 'accepted', `${channel} ${epoch}-${offset} ${text}`);
        this.#guard(() => this.truth.note(channel, epoch, offset, text));
      },
      onError: (error) => {
        const what = error instanceof Error ? error.stack : error;
        this.#violation ??= error instanceof Violation ? error : new Violation(8, `${node.node} reported ${what}`);
      },
      onRun: (method, text) => this.#ran(method, text),
      onEnded: ({ sid }, code) => this.log.add(node.node, 'ended', `${sid} ${code}`),
      cellsOf: (channel) => this.boards.get(channel)?.cells ?? {},
    });
    this.nodes.push(node);
    return true;
  }

  #ran(method: string, text: string): void {
    const runs = (this.runs.get(text) ?? 0) + 1;
    this.runs.set(text, runs);
    if (runs === 1) return;
    if (method === 'again') this.coverage.saw('ran again');
    else this.#violation ??= new Violation(8, `${method} of ${text} ran ${runs} times`);
  }

  kill(): boolean {
    const others = this.alive.filter(({ edge }) => !edge.draining).length > 1;
    const mortal = this.alive.filter(({ edge }) => edge.draining || others);
    if (mortal.length === 0) return false;
    const node = this.random.pick(mortal);
    this.log.add('world', 'kills', node.node);
    node.kill();
    if (this.random.chance(0.7)) this.network.cutAll();
    return true;
  }

  /** A node is closed: it has ten seconds to be rid of its sessions. */
  drain(): boolean {
    const open = this.alive.filter(({ edge }) => !edge.draining);
    if (open.length < 2) return false;
    const node = this.random.pick(open);
    this.log.add('world', 'drains', node.node);
    node.edge.drain();
    this.time.after(10_000, () => {
      if (!node.edge.dead) node.leave();
    });
    return true;
  }

  cutOff(): boolean {
    const { node } = this.random.pick(this.alive);
    const ms = this.random.pick([500, 2_000, 8_000]);
    this.log.add('world', 'cuts off', `${node} for ${ms}`);
    this.post.cut(node, ms);
    return true;
  }

  shakePost(): boolean {
    this.post.slowMs = this.random.pick([5, 50, 400, 2_500]);
    this.post.losing = this.random.pick([0, 0, 0.05, 0.3]);
    this.post.disorder = this.random.pick([0, 0, 0.3]);
    return true;
  }

  shakeBroker(): void {
    this.#brokers.shake();
  }

  die(party: AppParty): void {
    party.over = true;
    party.client.die();
  }

  heal(): void {
    this.#brokers.heal();
    this.post.heal();
    for (const node of this.alive) if (node.edge.draining) node.leave();
    if (this.alive.length === 0) this.start();
    this.healed = true;
  }

  crowd(): void {
    this.#brokers.slowMs = 0;
    for (const port of this.server.ports) {
      port.congest();
      this.time.after(this.random.int(500, 2_000), () => port.drain());
    }
    this.#traffic.sayMuch();
  }
}

/** A dead node says nothing more. */
const fromLiving = (edge: { readonly dead: boolean }, sink: Sink): Sink => ({
  lines: (lines) => {
    if (!edge.dead) sink.lines(lines);
  },
  end: () => {
    if (!edge.dead) sink.end();
  },
});
