/**
 * Nodes on a broker that keeps leases and members for them. A *lease* is a node's name and a *life*. A node renews its lease three times
 * in the time for which it is given; one that finds it run out takes another life and enters its members anew, so that whoever tidies up
 * after the old life cannot touch the new one. So does one that does not know what became of an entry.
 *
 * A process that dies stops listening at once, long before its lease runs out. So does one that is cut off, and comes back: a node to which something could not
 * be brought is asked for again after a while, and counts as dead if nobody listens then. Where it was the broker that was out of reach, all have to come back,
 * and some may take their time; where only that node was lost, its connection is back in a moment or it is dead.
 */
import { nanoid } from 'nanoid';
import { systemClock } from '../driver.ts';
import type { Timing } from '../timing.ts';
import { escapedName, unescapedName } from './escaped-name.ts';
import {
  type BrokerNode,
  type BrokerNodes,
  checkInboxText,
  countMembers,
  type NodeListener,
  type NodeMember,
} from './nodes.ts';

/** An entry under a lease. */
export interface LeasedMember {
  readonly lease: string;
  readonly member: string;
}

export interface Leases {
  /** Leases that run. */
  readonly running: readonly string[];
  /** Leases that have run out and have to be swept. */
  readonly dead: readonly string[];
}

/** What a broker keeps. A lease is `<escaped name> <life>`. */
export interface LeaseStore {
  /** Takes a lease. */
  take(lease: string): Promise<void>;
  /** Renews it; false where it has run out. */
  renew(lease: string): Promise<boolean>;
  leases(): Promise<Leases>;
  /** Removes a lease with all that is under it. */
  sweep(lease: string): Promise<void>;
  enter(entry: LeasedMember & { readonly channel: string; readonly data: string }): Promise<void>;
  leave(entry: LeasedMember & { readonly channel: string }): Promise<void>;
  members(channel: string): Promise<readonly (LeasedMember & { readonly data: string })[]>;
  names(channel: string): Promise<readonly LeasedMember[]>;
  listen(node: string, hear: (text: string, from: string) => void): Promise<void>;
  stopListening(node: string): void;
  /** `unheard` is called where it is known that nobody listens. */
  send(letter: {
    readonly to: string;
    readonly from: string;
    readonly text: string;
    readonly unheard: () => void;
  }): void;
  /** For how long no part of our connection has failed, ms. */
  readonly steadyMs: number;
  /** Whether somebody listens, as far as the broker can tell. */
  isListening(node: string): Promise<boolean>;
  /** Keeps the value under the name unless there is one; resolves to the one that is there. */
  agree(name: string, proposal: string): Promise<string>;
}

/** What a node tells the others when it has come; no other letter is empty. */
const ARRIVED = '';

/** In this time a node is back whose connection to a broker that works has broken, ms. */
const BACK_MS = 1_000;

/** Members entered anew at a time. */
const REENTERED_AT_A_TIME = 250;

export const nodeOf = (lease: string): string => unescapedName(lease.split(' ', 1)[0] ?? '');

const newLease = (name: string): string => `${escapedName(name)} ${nanoid(10).replaceAll('-', '_')}`;

export class LeasedNodes implements BrokerNodes {
  readonly #store: LeaseStore;
  readonly #leaseMs: number;
  readonly #clock: Timing;
  readonly #joined = new Set<LeasedNode>();
  #closed = false;

  constructor(store: LeaseStore, leaseMs: number, clock: Timing = systemClock) {
    this.#store = store;
    this.#leaseMs = leaseMs;
    this.#clock = clock;
  }

  async join(name: string, listener: NodeListener): Promise<BrokerNode> {
    const node = new LeasedNode({
      ...{ name, listener, store: this.#store, clock: this.#clock, beatMs: this.#leaseMs / 3 },
      onClosed: () => this.#joined.delete(node),
    });
    await node.begin();
    this.#joined.add(node);
    if (this.#closed) await node.close();
    return node;
  }

  async list(): Promise<readonly string[]> {
    return namesOf([...(await this.#running())]);
  }

  async members(channel: string): Promise<readonly NodeMember[]> {
    const running = this.#running();
    const members = await this.#store.members(channel);
    const alive = await running;
    return members.flatMap(({ lease, member, data }) => {
      return alive.has(lease) ? [{ node: nodeOf(lease), member, data }] : [];
    });
  }

  async occupancy(channel: string): Promise<number> {
    const running = this.#running();
    const members = await this.#store.names(channel);
    const alive = await running;
    return countMembers(members.filter(({ lease }) => alive.has(lease)));
  }

  agree(name: string, proposal: string): Promise<string> {
    return this.#store.agree(name, proposal);
  }

  /** Gives back every lease. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(Array.from(this.#joined, (node) => node.close()));
  }

  #running(): Promise<ReadonlySet<string>> {
    const running = this.#store.leases().then((leases) => {
      const joined = [...this.#joined];
      return new Set(leases.running.filter((lease) => !joined.some((node) => node.hasFoundDead(lease))));
    });
    // It is awaited behind something else, which may fail as well.
    running.catch(() => {});
    return running;
  }
}

interface LeasedNodeOptions {
  readonly name: string;
  readonly listener: NodeListener;
  readonly store: LeaseStore;
  readonly clock: Timing;
  readonly beatMs: number;
  readonly onClosed: () => void;
}

class LeasedNode implements BrokerNode {
  readonly name: string;
  readonly #options: LeasedNodeOptions;
  #lease: string;
  /** Data by member by channel: what is entered again under another life. */
  readonly #book = new Map<string, Map<string, string>>();
  /** Whether something was tried under this life of which it is not known whether it happened. */
  #uncertain = false;
  /** Who was alive, as told last. */
  #told = '';
  #beating = false;
  /** Takes back the next beat. */
  #cancelBeat: () => void = () => {};
  /** Nodes that did not listen, and what takes back that they are looked at again. */
  readonly #unheard = new Map<string, () => void>();
  /** Leases that run, of nodes that are dead. */
  readonly #deserted = new Set<string>();
  #closed = false;

  constructor(options: LeasedNodeOptions) {
    this.#options = options;
    this.name = options.name;
    this.#lease = newLease(options.name);
  }

  async begin(): Promise<void> {
    const { store, listener } = this.#options;
    await store.listen(this.name, (text, from) => {
      if (text !== ARRIVED) listener.message(text, from);
      // Where this fails, the next beat looks again.
      else this.#look().catch(() => {});
    });
    try {
      await store.take(this.#lease);
      await this.#look();
      this.#announce();
    } catch (error) {
      store.stopListening(this.name);
      throw error;
    }
    this.#awaitBeat();
  }

  send(to: string, text: string): void {
    checkInboxText(text);
    this.#options.store.send({ to, from: this.name, text, unheard: () => this.#suspect(to) });
  }

  /** Whether the lease runs on, of a node that is dead. */
  hasFoundDead(lease: string): boolean {
    return this.#deserted.has(lease);
  }

  enter(channel: string, member: string, data: string): Promise<void> {
    const members = this.#book.get(channel) ?? new Map<string, string>();
    this.#book.set(channel, members.set(member, data));
    return this.#try(this.#options.store.enter({ lease: this.#lease, channel, member, data }));
  }

  async leave(channel: string, member: string): Promise<void> {
    const members = this.#book.get(channel);
    if (!members?.delete(member)) return;
    if (members.size === 0) this.#book.delete(channel);
    await this.#try(this.#options.store.leave({ lease: this.#lease, channel, member }));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    const { store, onClosed } = this.#options;
    this.#closed = true;
    this.#cancelBeat();
    for (const cancel of this.#unheard.values()) cancel();
    this.#unheard.clear();
    this.#book.clear();
    store.stopListening(this.name);
    onClosed();
    // Where this fails, the lease runs out.
    await store.sweep(this.#lease).catch(() => {});
  }

  /** So that the others know of this one before their next beat. */
  #announce(): void {
    for (const to of JSON.parse(this.#told) as readonly string[]) {
      if (to !== this.name) this.#options.store.send({ to, from: this.name, text: ARRIVED, unheard: () => {} });
    }
  }

  /** Nobody listens there. A node that is only cut off has a beat to be back, or less where the broker was there all the time. */
  #suspect(node: string): void {
    if (this.#closed || this.#unheard.has(node)) return;
    const { clock, beatMs, store } = this.#options;
    const ms = store.steadyMs > beatMs ? Math.min(beatMs, BACK_MS) : beatMs;
    this.#unheard.set(
      node,
      clock.after(ms, () => void this.#lookAgain(node)),
    );
  }

  async #lookAgain(node: string): Promise<void> {
    const { store } = this.#options;
    try {
      const { running } = await store.leases();
      if (await store.isListening(node)) return;
      for (const lease of running) if (nodeOf(lease) === node) this.#deserted.add(lease);
      await this.#look();
    } catch {
      // The broker is in trouble: nothing is known.
    } finally {
      this.#unheard.delete(node);
    }
  }

  async #try(done: Promise<void>): Promise<void> {
    try {
      await done;
    } catch (error) {
      this.#uncertain = true;
      throw error;
    }
  }

  #awaitBeat(): void {
    const { clock, beatMs } = this.#options;
    this.#cancelBeat = clock.after(beatMs, () => {
      this.#awaitBeat();
      void this.#beat();
    });
  }

  /** Whatever fails here is tried again with the next beat. */
  async #beat(): Promise<void> {
    if (this.#beating) return;
    this.#beating = true;
    try {
      const held = await this.#options.store.renew(this.#lease);
      if (!held || this.#uncertain) await this.#beginAnew();
      await this.#look();
    } catch {
      // The broker is in trouble: its watchers are told.
    } finally {
      this.#beating = false;
    }
  }

  async #beginAnew(): Promise<void> {
    const { store } = this.#options;
    const before = this.#lease;
    const lease = newLease(this.name);
    await store.take(lease);
    this.#lease = lease;
    this.#uncertain = false;
    const entries = [...this.#book].flatMap(([channel, members]) =>
      Array.from(members.keys(), (member) => ({ channel, member })),
    );
    for (let from = 0; from < entries.length && !this.#closed; from += REENTERED_AT_A_TIME) {
      await Promise.all(
        entries.slice(from, from + REENTERED_AT_A_TIME).map(({ channel, member }) => {
          // Who has left meanwhile is not in the book any more.
          const data = this.#book.get(channel)?.get(member);
          return data === undefined ? undefined : this.#try(store.enter({ lease, channel, member, data }));
        }),
      );
    }
    await store.sweep(before);
  }

  /** Tells who is alive, and tidies up after the dead. */
  async #look(): Promise<void> {
    const { store, listener } = this.#options;
    const { running, dead } = await store.leases();
    if (this.#closed) return;
    for (const lease of this.#deserted) {
      // It was only cut off, and is back under the same lease.
      if (!running.includes(lease) || (await store.isListening(nodeOf(lease)))) this.#deserted.delete(lease);
    }
    if (this.#closed) return;
    const nodes = namesOf(running.filter((lease) => !this.#deserted.has(lease)));
    const told = JSON.stringify(nodes);
    if (told !== this.#told) {
      this.#told = told;
      listener.nodes(nodes);
    }
    // One of them is enough.
    if (nodes[0] === this.name) for (const lease of dead) await store.sweep(lease);
  }
}

const namesOf = (leases: readonly string[]): readonly string[] => [...new Set(leases.map(nodeOf))].sort();
