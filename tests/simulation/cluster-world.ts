/** Clients and a cluster of nodes over a bad network and a bad post: sessions are forwarded and handed over while nodes die, leave and are cut off. */
import {
  DEFAULT_LIMITS,
  type Identity,
  type Limits,
  type ServerSession,
  TRANSPORTS,
  type Transport,
} from '@runnel/protocol';
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
import type { SharedLine } from '@runnel/server';
import { ClusterNode } from './cluster-node.ts';
import { Coverage } from './coverage.ts';
import { EventLog } from './event-log.ts';
import { LedgerChecker } from './ledger-checker.ts';
import { Party, type PartyWorld, payload, toLines } from './party.ts';
import { Violation } from './violation.ts';
import { VirtualPost } from './virtual-post.ts';

const PARTIES_MAX = 3;
const NODES_MAX = 4;
/** Invariant 13. */
const LINKS_MAX = 120;
const SESSIONS_MAX = 120;

export class ClusterWorld implements PartyWorld, ServerEnd {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly coverage = new Coverage();
  readonly log: EventLog;
  readonly post: VirtualPost;
  readonly network: VirtualNetwork;
  readonly ledgers: LedgerChecker;
  readonly transports: readonly Transport[];
  readonly hasCredentials = false;
  readonly nodes: ClusterNode[] = [];
  readonly limits: Limits;
  readonly #authMs: () => number;
  parties: Party[] = [];
  readonly relays = new Map<number, string>();
  #joined = 0;
  #started = 0;
  #ids = 0;
  #serial = 0;
  #violation: unknown = null;

  constructor(random: Random, hashed = false) {
    this.random = random;
    this.log = new EventLog(() => this.time.now, { hashed });
    this.transports = random.chance(0.7) ? TRANSPORTS : [random.pick(TRANSPORTS)];
    this.limits = { ...DEFAULT_LIMITS, ttlMs: random.pick([20_000, 120_000]) };
    const authMax = random.pick([0, 0, 300]);
    this.#authMs = () => (authMax === 0 ? 0 : random.int(0, authMax));
    this.ledgers = new LedgerChecker({ ttlMs: this.limits.ttlMs, provisionalMs: 10_000 }, this.coverage);
    this.post = new VirtualPost({ time: this.time, random, onLost: (text) => this.#lost(text) });
    this.post.onCut = (name, isCut) => this.nodes.find(({ node }) => node === name)?.edge.post.setCutOff(isCut);
    const slowMs = random.pick([5, 20, 80]);
    this.network = new VirtualNetwork({
      time: this.time,
      random,
      server: this,
      weather: { ...FAIR, delay: () => slowMs * (0.5 + random.next()) },
      happened: (mishap) => this.coverage.saw(mishap),
    });
    for (let i = random.int(2, 3); i > 0; i -= 1) this.start();
    for (let i = random.int(1, PARTIES_MAX); i > 0; i -= 1) this.join();
  }

  readonly newId = (): string => {
    this.#ids += 1;
    return `id${this.#ids}`;
  };

  get living(): Party[] {
    return this.parties.filter((party) => !party.over);
  }
  get clients() {
    return this.living.map(({ client }) => client);
  }
  get alive(): ClusterNode[] {
    return this.nodes.filter(({ dead }) => !dead);
  }
  /** As `disturbNetwork` wants it. */
  get server(): { readonly ports: ReadonlySet<VirtualPort>; readonly limits: Limits } {
    return { ports: new Set(this.alive.flatMap(({ server }) => [...server.ports])), limits: this.limits };
  }

  *sessions(): Generator<ServerSession<SharedLine, Identity>> {
    for (const { server } of this.alive) yield* server.registry.sessions();
  }

  has(sid: string): boolean {
    return this.alive.some(({ server }) => server.registry.session(sid) !== undefined);
  }

  check(): void {
    if (this.#violation !== null) throw this.#violation;
    const owners = new Map<string, string>();
    for (const { node, server } of this.alive) {
      for (const session of server.registry.sessions()) {
        const other = owners.get(session.sid);
        if (other !== undefined) throw new Violation(4, `${other} and ${node} both own ${session.sid}`);
        owners.set(session.sid, node);
        this.ledgers.session(session, this.time.now);
      }
      const { linkCount, size } = server.registry;
      if (linkCount > LINKS_MAX || size > SESSIONS_MAX) throw new Violation(13, `${linkCount} links, ${size} sessions`);
    }
  }

  // ——— the balancer ———

  openSocket(sink: Sink): VirtualSocketEnd {
    const node = this.#next();
    const end = node.server.openSocket(this.#from(node, sink));
    return {
      message: (text) => {
        if (!node.dead) this.#guard(() => end.message(text));
      },
      closed: () => {
        if (!node.dead) this.#guard(() => end.closed());
      },
    };
  }

  request(body: string, sink: Sink): () => void {
    const node = this.#next();
    const gone = node.server.request(body, this.#from(node, sink));
    return () => {
      if (!node.dead) gone();
    };
  }

  #next(): ClusterNode {
    const open = this.alive.filter(({ draining }) => !draining);
    return this.random.pick(open.length > 0 ? open : this.alive);
  }

  /** A dead node says nothing more. */
  #from(node: ClusterNode, sink: Sink): Sink {
    return {
      lines: (lines) => {
        if (!node.dead) sink.lines(lines);
      },
      end: () => {
        if (!node.dead) sink.end();
      },
    };
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#violation ??= error;
    }
  }

  // ——— traffic ———

  send(count: number): void {
    for (let i = 0; i < count; i += 1) {
      this.#serial += 1;
      const id = this.#serial;
      if (this.random.chance(0.5)) this.random.pick(this.parties).sendUp(id);
      else this.#sendDown(id);
    }
  }

  sendAll(): void {
    for (const party of this.living) {
      this.#serial += 1;
      party.sendUp(this.#serial);
    }
    this.#serial += 1;
    this.#sendDown(this.#serial);
  }

  #sendDown(id: number): void {
    for (const { server } of this.alive) {
      server.turn(() => {
        for (const session of server.registry.sessions()) {
          const lines = toLines(`[19,${id},${payload(this.random)}]`);
          this.ledgers.life(session.sid).down.sent.push(id);
          for (const { text } of lines) session.enqueue(server.registry.options.line(text));
        }
      });
    }
  }

  // ——— what can be done to the ends ———

  join(): void {
    if (this.living.length >= PARTIES_MAX) return;
    this.#joined += 1;
    this.parties = [...this.living, ...this.parties.filter(({ over }) => over).slice(-2)];
    this.parties.push(new Party(this, `c${this.#joined}`));
  }

  start(): boolean {
    if (this.alive.length >= NODES_MAX) return false;
    this.#started += 1;
    const { time, random, post, coverage, newId } = this;
    const node: ClusterNode = new ClusterNode({
      ...{ time, random, post, coverage, newId, authMs: this.#authMs, ttlMs: this.limits.ttlMs, relays: this.relays },
      name: `n${this.#started}`,
      ledgers: () => this.ledgers,
      onError: (error) => {
        this.#violation ??= error;
      },
      onBorn: ({ sid }) => {
        this.log.add(node.node, 'born', sid);
        this.ledgers.born(sid, time.now);
        if (post.isCut(node.node)) this.ledgers.excuse(sid, 'partition');
      },
      onEnded: (session, code) => {
        this.log.add(node.node, 'ended', `${session.sid} ${code}`);
        this.#guard(() => this.ledgers.ended(session, code, time.now));
      },
    });
    this.nodes.push(node);
    return true;
  }

  kill(): boolean {
    // Somebody has to be left.
    const others = this.alive.filter(({ draining }) => !draining).length > 1;
    const mortal = this.alive.filter(({ draining }) => draining || others);
    if (mortal.length === 0) return false;
    const node = this.random.pick(mortal);
    this.log.add('world', 'kills', node.node);
    this.#takeLeave(node, 'node death');
    node.edge.kill();
    if (this.random.chance(0.7)) this.network.cutAll();
    return true;
  }

  /** A node is closed: it has ten seconds to be rid of its sessions, and longer for those on their way. */
  drain(): boolean {
    const open = this.alive.filter(({ draining }) => !draining);
    if (open.length < 2) return false;
    const node = this.random.pick(open);
    this.log.add('world', 'drains', node.node);
    node.edge.drain();
    this.time.after(10_000, () => this.#leave(node));
    return true;
  }

  #leave(node: ClusterNode): void {
    if (node.dead) return;
    if (node.edge.handOvers.isNeeded) return void this.time.after(100, () => this.#leave(node));
    this.#takeLeave(node, 'node closed');
    node.edge.leave();
  }

  /** A node hears nothing of the others, and they nothing of it. */
  cutOff(): boolean {
    const node = this.random.pick(this.alive);
    const ms = this.random.pick([500, 2_000, 8_000]);
    this.log.add('world', 'cuts off', `${node.node} for ${ms}`);
    // The others may take it for dead, and its sessions with it.
    if (ms > 3_000) this.#takeLeave(node, 'partition');
    this.post.cut(node.node, ms);
    return true;
  }

  shakePost(): boolean {
    this.post.slowMs = this.random.pick([5, 50, 400, 2_500]);
    this.post.losing = this.random.pick([0, 0, 0.05, 0.3]);
    this.post.disorder = this.random.pick([0, 0, 0.3]);
    return true;
  }

  die(party: Party): void {
    party.over = true;
    party.client.die();
  }

  heal(): void {
    this.post.heal();
    for (const node of this.alive.filter(({ draining }) => draining)) this.#leave(node);
    if (this.alive.length === 0) this.start();
  }

  /** With a node go its sessions, and no others: where those are that it gave away, the others know. */
  #takeLeave({ server }: ClusterNode, cause: string): void {
    for (const { sid } of server.registry.sessions()) this.ledgers.excuse(sid, cause);
  }

  /** A session that was on its way is nowhere any more. */
  #lost(text: string): void {
    this.coverage.saw('post lost');
    for (const [, id] of text.matchAll(/\[19,(\d+),null\]/g)) this.relays.delete(Number(id));
    const sid = /"session":\{"sid":"(\w+)"/.exec(text)?.[1];
    if (sid === undefined) return;
    this.coverage.saw('snapshot lost');
    this.ledgers.excuse(sid, 'lost snapshot');
  }

  /** Invariant 13: what is kept for sessions that are elsewhere is bounded, and goes. */
  /** Frames that were to be relayed to a session that lives, and were not, for no reason. */
  get strayed(): number {
    return [...this.relays].filter(([, sid]) => this.has(sid) && this.ledgers.life(sid).causes.size === 0).length;
  }

  get leftovers(): number {
    const counts = this.alive.map(({ handOvers }) => handOvers.counts);
    return counts.reduce((sum, { estates, pending }) => sum + estates + pending, 0);
  }
}
