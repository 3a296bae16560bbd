import { beforeEach, describe, expect, it } from 'vitest';
import { LeasedNodes, type LeaseStore } from '../../src/brokers/leases.ts';
import type { BrokerNode } from '../../src/brokers/nodes.ts';
import { VirtualClock } from '../virtual-clock.ts';

const LEASE_MS = 9_000;

/** A broker that nothing happens to but what a test does. */
class Store implements LeaseStore {
  readonly clock: VirtualClock;
  /** When each lease runs out. */
  readonly until = new Map<string, number>();
  readonly entries = new Map<string, { lease: string; channel: string; member: string; data: string }>();
  /** Since when the broker is there. */
  since = 0;
  readonly ears = new Map<string, (text: string, from: string) => void>();

  constructor(clock: VirtualClock) {
    this.clock = clock;
  }

  async take(lease: string): Promise<void> {
    this.until.set(lease, this.clock.now() + LEASE_MS);
  }
  async renew(lease: string): Promise<boolean> {
    if ((this.until.get(lease) ?? 0) <= this.clock.now()) return false;
    await this.take(lease);
    return true;
  }
  async leases(): Promise<{ running: string[]; dead: string[] }> {
    const leases = [...this.until.keys()];
    const runs = (lease: string): boolean => (this.until.get(lease) ?? 0) > this.clock.now();
    return { running: leases.filter(runs), dead: leases.filter((lease) => !runs(lease)) };
  }
  async sweep(lease: string): Promise<void> {
    this.until.delete(lease);
    for (const [key, entry] of this.entries) if (entry.lease === lease) this.entries.delete(key);
  }
  async enter(entry: { lease: string; channel: string; member: string; data: string }): Promise<void> {
    this.entries.set(`${entry.lease} ${entry.channel} ${entry.member}`, entry);
  }
  async leave({ lease, channel, member }: { lease: string; channel: string; member: string }): Promise<void> {
    this.entries.delete(`${lease} ${channel} ${member}`);
  }
  async members(channel: string): Promise<{ lease: string; member: string; data: string }[]> {
    return [...this.entries.values()].filter((entry) => entry.channel === channel);
  }
  names(channel: string): Promise<{ lease: string; member: string }[]> {
    return this.members(channel);
  }
  async listen(node: string, hear: (text: string, from: string) => void): Promise<void> {
    this.ears.set(node, hear);
  }
  stopListening(node: string): void {
    this.ears.delete(node);
  }
  send({ to, from, text, unheard }: { to: string; from: string; text: string; unheard: () => void }): void {
    const hear = this.ears.get(to);
    if (hear === undefined) unheard();
    else hear(text, from);
  }
  get steadyMs(): number {
    return this.clock.now() - this.since;
  }
  async isListening(node: string): Promise<boolean> {
    return this.ears.has(node);
  }
  async agree(_: string, proposal: string): Promise<string> {
    return proposal;
  }
}

let clock: VirtualClock;
let store: Store;
let a: BrokerNode;
/** Who is alive, as `a` is told. */
let alive: readonly string[];

beforeEach(async () => {
  clock = new VirtualClock();
  store = new Store(clock);
  const nodes = new LeasedNodes(store, LEASE_MS, clock);
  a = await nodes.join('a', {
    message: () => {},
    nodes: (names) => {
      alive = names;
    },
  });
  await nodes.join('b', { message: () => {}, nodes: () => {} });
  await clock.advance(0);
});

const roomMembers = async (): Promise<unknown[]> =>
  (await store.members('room')).map(({ member, data }) => [member, data]);

describe('a node on leases', () => {
  it('renews its lease three times in the time for which it is given', async () => {
    const [lease = ''] = store.until.keys();
    for (let i = 1; i <= 9; i += 1) {
      await clock.advance(LEASE_MS / 3);
      expect(store.until.get(lease)).toBe(clock.now() + LEASE_MS);
    }
    expect(alive).toEqual(['a', 'b']);
  });

  it('takes another life where its lease has run out, and enters its members anew', async () => {
    await a.enter('room', 'ann', '1');
    const [lease = ''] = store.until.keys();
    await store.sweep(lease);
    expect(await roomMembers()).toEqual([]);
    await clock.advance(LEASE_MS / 3);
    expect(store.until.has(lease)).toBe(false);
    expect(await roomMembers()).toEqual([['ann', '1']]);
  });

  it('looks again, a third of a lease later, at one that does not listen, and takes it for dead then', async () => {
    store.stopListening('b');
    a.send('b', 'hello');
    await clock.advance(LEASE_MS / 3 - 1);
    expect(alive).toEqual(['a', 'b']);
    await clock.advance(1);
    expect(alive).toEqual(['a']);
  });

  it('looks again after a second where the broker was there for longer than a third of a lease', async () => {
    await clock.advance(LEASE_MS / 3 + 1);
    store.stopListening('b');
    a.send('b', 'hello');
    await clock.advance(999);
    expect(alive).toEqual(['a', 'b']);
    await clock.advance(1);
    expect(alive).toEqual(['a']);
  });

  it('leaves no timer when it is closed', async () => {
    const before = clock.pending;
    store.stopListening('b');
    a.send('b', 'hello');
    expect(clock.pending).toBe(before + 1);
    await a.close();
    expect(clock.pending).toBe(before - 1);
  });
});
