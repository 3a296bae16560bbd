/** Clients and a cluster of nodes over a bad network and a bad post: sessions are forwarded and handed over while nodes die, leave and are cut off. */
import { DEFAULT_LIMITS, type Limits, TRANSPORTS, type Transport } from '@runnel/protocol';
import { type Random, VirtualNetwork, type VirtualPort, VirtualTime } from '@runnel/protocol/testing';
import { Alarm } from './alarm.ts';
import { Balancer } from './balancer.ts';
import { ClusterNode } from './cluster-node.ts';
import { ClusterNodes } from './cluster-nodes.ts';
import { Coverage } from './coverage.ts';
import { EventLog } from './event-log.ts';
import { fairWeather } from './faults.ts';
import { LedgerChecker } from './ledger-checker.ts';
import { PARTIES_MAX, Parties } from './parties.ts';
import { Party, type PartyWorld, payload, toLines } from './party.ts';
import { serialNames } from './serial-names.ts';
import { Violation } from './violation.ts';
import { VirtualPost } from './virtual-post.ts';

/** Invariant 13. */
const LINKS_MAX = 120;
const SESSIONS_MAX = 120;

export class ClusterWorld implements PartyWorld {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly coverage = new Coverage();
  readonly log: EventLog;
  readonly post: VirtualPost;
  readonly nodes: ClusterNodes<ClusterNode>;
  readonly network: VirtualNetwork;
  readonly ledgers: LedgerChecker;
  readonly transports: readonly Transport[];
  readonly hasCredentials = false;
  readonly limits: Limits;
  readonly parties = new Parties((name) => new Party(this, name));
  readonly newId = serialNames();
  readonly #alarm = new Alarm();
  readonly #authMs: () => number;
  /** Frames that were sent to a session at a node which had it before, and have not come to where it is; with their sessions. */
  readonly #relays = new Map<number, string>();
  #serial = 0;

  constructor(random: Random, hashed = false) {
    const { time, coverage } = this;
    this.random = random;
    this.log = new EventLog(() => time.now, { hashed });
    this.transports = random.chance(0.7) ? TRANSPORTS : [random.pick(TRANSPORTS)];
    this.limits = { ...DEFAULT_LIMITS, ttlMs: random.pick([20_000, 120_000]) };
    const authMax = random.pick([0, 0, 300]);
    this.#authMs = () => (authMax === 0 ? 0 : random.int(0, authMax));
    this.ledgers = new LedgerChecker({ ttlMs: this.limits.ttlMs, provisionalMs: 10_000 }, coverage);
    this.post = new VirtualPost({ time, random, onLost: (text) => this.#lost(text) });
    this.nodes = new ClusterNodes({
      ...{ time, log: this.log, post: this.post },
      create: (name) => this.#newNode(name),
      // With a node go its sessions, and no others: where those are that it gave away, the others know.
      onLeaving: ({ edge }, cause) => {
        for (const { sid } of edge.server.registry.sessions()) this.ledgers.excuse(sid, cause);
      },
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

  #newNode(node: string): ClusterNode {
    const { time, random, post, coverage, newId, ledgers, log } = this;
    const alarm = this.#alarm;
    return new ClusterNode({
      ...{ time, random, post, coverage, newId, ledgers, authMs: this.#authMs, ttlMs: this.limits.ttlMs },
      ...{ name: node, relays: this.#relays },
      onError: (error) => alarm.raise(error),
      onBorn: ({ sid }) => {
        log.add(node, 'born', sid);
        ledgers.born(sid, time.now);
        if (post.isCut(node)) ledgers.excuse(sid, 'partition');
      },
      onEnded: (session, code) => {
        log.add(node, 'ended', `${session.sid} ${code}`);
        alarm.guard(() => ledgers.ended(session, code, time.now));
      },
    });
  }

  /** As `disturb` wants it. */
  get server(): { readonly ports: ReadonlySet<VirtualPort>; readonly limits: Limits } {
    return { ports: this.nodes.ports, limits: this.limits };
  }

  has(sid: string): boolean {
    return this.nodes.edges.some(({ server }) => server.registry.session(sid) !== undefined);
  }

  check(): void {
    this.#alarm.check();
    this.nodes.check();
    for (const session of this.nodes.sessions()) this.ledgers.session(session, this.time.now);
    for (const { server } of this.nodes.edges) {
      const { linkCount, size } = server.registry;
      if (linkCount > LINKS_MAX || size > SESSIONS_MAX) throw new Violation(13, `${linkCount} links, ${size} sessions`);
    }
  }

  // ——— traffic ———

  send(count: number): void {
    for (let i = 0; i < count; i += 1) {
      this.#serial += 1;
      const id = this.#serial;
      if (this.random.chance(0.5)) this.random.pick(this.parties.all).sendUp(id);
      else this.#sendDown(id);
    }
  }

  sendAll(): void {
    for (const party of this.parties.living) {
      this.#serial += 1;
      party.sendUp(this.#serial);
    }
    this.#serial += 1;
    this.#sendDown(this.#serial);
  }

  #sendDown(id: number): void {
    for (const { server } of this.nodes.edges) {
      server.turn(() => {
        for (const session of server.registry.sessions()) {
          const lines = toLines(`[19,${id},${payload(this.random)}]`);
          this.ledgers.life(session.sid).down.sent.push(id);
          for (const { text } of lines) session.enqueue(server.registry.options.line(text));
        }
      });
    }
  }

  /** A session that was on its way is nowhere any more. */
  #lost(text: string): void {
    this.coverage.saw('post lost');
    for (const [, id] of text.matchAll(/\[19,(\d+),null\]/g)) this.#relays.delete(Number(id));
    const sid = /"session":\{"sid":"(\w+)"/.exec(text)?.[1];
    if (sid === undefined) return;
    this.coverage.saw('snapshot lost');
    this.ledgers.excuse(sid, 'lost snapshot');
  }

  /** Frames that were to be relayed to a session that lives, and were not, for no reason. */
  get strayed(): number {
    return [...this.#relays].filter(([, sid]) => this.has(sid) && this.ledgers.life(sid).causes.size === 0).length;
  }
}
