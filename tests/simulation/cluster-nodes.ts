/** The nodes of a simulated cluster, as they come and go. */
import type { Identity, ServerSession } from '@runnel/protocol';
import type { VirtualPort, VirtualTime } from '@runnel/protocol/testing';
import type { SharedLine } from '@runnel/server';
import type { ClusterEdge } from './cluster-edge.ts';
import type { EventLog } from './event-log.ts';
import { Violation } from './violation.ts';
import { LEASE_MS, type VirtualPost } from './virtual-post.ts';

const NODES_MAX = 4;
/** How long a node that is closed has to be rid of its sessions, ms; and how often it looks whether it is still needed. */
const DRAIN_MS = 10_000;
const LOOK_MS = 100;

export interface ClusterMember {
  readonly edge: ClusterEdge;
  /** It is cut off from the others, or no longer, and notices. */
  setCutOff(isCutOff: boolean): void;
  /** It is killed. */
  kill(): void;
  /** It has closed, as everybody knows. */
  leave(): void;
}

export interface ClusterNodesOptions<N extends ClusterMember> {
  readonly time: VirtualTime;
  readonly log: EventLog;
  readonly post: VirtualPost;
  readonly create: (name: string) => N;
  /** The node may go, and its sessions with it. */
  readonly onLeaving?: (node: N, cause: 'node death' | 'node closed' | 'partition') => void;
}

export class ClusterNodes<N extends ClusterMember> {
  readonly #options: ClusterNodesOptions<N>;
  /** Those that live. */
  #alive: N[] = [];
  #started = 0;

  constructor(options: ClusterNodesOptions<N>) {
    this.#options = options;
    options.post.onCut = (name, isCut) => this.#alive.find(({ edge }) => edge.node === name)?.setCutOff(isCut);
  }

  get alive(): readonly N[] {
    return this.#alive;
  }
  get edges(): readonly ClusterEdge[] {
    return this.#alive.map(({ edge }) => edge);
  }
  /** Those that are not being closed. */
  get open(): readonly N[] {
    return this.#alive.filter(({ edge }) => !edge.draining);
  }
  /** Sockets and stream bodies that are open. */
  get ports(): ReadonlySet<VirtualPort> {
    return new Set(this.edges.flatMap(({ server }) => [...server.ports]));
  }

  *sessions(): Generator<ServerSession<SharedLine, Identity>> {
    for (const { server } of this.edges) yield* server.registry.sessions();
  }

  /** What is kept for sessions that are elsewhere. */
  get leftovers(): number {
    const counts = this.edges.map(({ handOvers }) => handOvers.counts);
    return counts.reduce((sum, { estates, pending }) => sum + estates + pending, 0);
  }

  /** Invariant 4: no session has two owners. */
  check(): void {
    const owners = new Map<string, string>();
    for (const { node, server } of this.edges) {
      for (const { sid } of server.registry.sessions()) {
        const other = owners.get(sid);
        if (other !== undefined) throw new Violation(4, `${other} and ${node} both own ${sid}`);
        owners.set(sid, node);
      }
    }
  }

  start(): boolean {
    if (this.#alive.length >= NODES_MAX) return false;
    this.#started += 1;
    this.#alive.push(this.#options.create(`n${this.#started}`));
    return true;
  }

  kill(node: N): void {
    this.#options.log.add('world', 'kills', node.edge.node);
    this.#options.onLeaving?.(node, 'node death');
    node.kill();
    this.#forget(node);
  }

  /** A node is closed: it has ten seconds to be rid of its sessions, and longer for those on their way. */
  drain(node: N): void {
    this.#options.log.add('world', 'drains', node.edge.node);
    node.edge.drain();
    this.#options.time.after(DRAIN_MS, () => this.#leave(node));
  }

  /** A node hears nothing of the others, and they nothing of it. */
  cutOff(node: N, ms: number): void {
    const { log, onLeaving, post } = this.#options;
    log.add('world', 'cuts off', `${node.edge.node} for ${ms}`);
    // The others may take it for dead, and its sessions with it.
    if (ms > LEASE_MS) onLeaving?.(node, 'partition');
    post.cut(node.edge.node, ms);
  }

  /** Nothing stands between those that live. Who is being closed goes as soon as it may. */
  heal(): void {
    this.#options.post.heal();
    for (const node of this.#alive.filter(({ edge }) => edge.draining)) this.#leave(node);
    if (this.#alive.length === 0) this.start();
  }

  #leave(node: N): void {
    if (node.edge.dead) return;
    if (node.edge.handOvers.isNeeded) return void this.#options.time.after(LOOK_MS, () => this.#leave(node));
    this.#options.onLeaving?.(node, 'node closed');
    node.leave();
    this.#forget(node);
  }

  #forget(node: N): void {
    this.#alive = this.#alive.filter((other) => other !== node);
  }
}
