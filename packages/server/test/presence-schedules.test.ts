import { type PresenceEntry, Type } from '@runnel/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Harness, TestClient } from './harness.ts';
import { openRoom } from './open-room.ts';
import { turn } from './virtual-clock.ts';

type Step =
  | { readonly do: 'enter' | 'leave' | 'cut' | 'resume' | 'close'; readonly who: number; readonly color: string }
  | { readonly do: 'subscribe' | 'unsubscribe'; readonly watcher: number }
  | { readonly do: 'wait'; readonly ms: number };

const USERS = ['ann', 'bob', 'eve'];

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constantFrom('enter' as const, 'enter', 'leave', 'cut', 'resume', 'close'),
    who: fc.nat(5),
    color: fc.constantFrom('red', 'blue', 'green'),
  }),
  fc.record({ do: fc.constantFrom('subscribe' as const, 'unsubscribe'), watcher: fc.nat(2) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(0, 1, 7, 19, 20, 25) }),
);

/** Who is present as a client that takes the frames in order has it, as `SubscriptionListener` does. */
function seenBy(watcher: TestClient): Map<string, PresenceEntry> {
  const members = new Map<string, PresenceEntry>();
  const join = (entries: readonly PresenceEntry[]): void => {
    for (const entry of entries) members.set(entry.id, entry);
  };
  for (const frame of watcher.frames) {
    if (frame[0] === Type.subscribed) {
      members.clear();
      join(frame[2].presence ?? []);
    } else if (frame[0] === Type.presence) {
      const { joined = [], left = [] } = frame[2];
      join(joined);
      for (const id of left) members.delete(id);
    }
  }
  return members;
}

const byId = (entries: Iterable<PresenceEntry>): PresenceEntry[] =>
  [...entries].sort((a, b) => a.id.localeCompare(b.id));

class World {
  /** The longest that news may wait where so few are told, ms. */
  static readonly windowMs = 20;

  readonly harness: Harness = openRoom({}, { limits: { lineBytes: 600 } });
  readonly sessions: TestClient[] = [];
  readonly watchers: { readonly client: TestClient; subscribed: boolean }[] = [];
  readonly #linked = new Set<TestClient>();

  static async create(): Promise<World> {
    const world = new World();
    for (const user of [...USERS, ...USERS]) world.#add(await world.harness.connect(user));
    for (let i = 0; i < 3; i += 1) {
      world.watchers.push({ client: await world.harness.connect(`watcher${i}`), subscribed: false });
    }
    return world;
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'wait':
        return this.harness.clock.advance(step.ms);
      case 'subscribe':
      case 'unsubscribe': {
        const watcher = this.watchers[step.watcher];
        if (watcher === undefined) return;
        watcher.subscribed = step.do === 'subscribe';
        if (watcher.subscribed) watcher.client.subscribe('room/a');
        else watcher.client.send([Type.unsubscribe, 'room/a']);
        return turn();
      }
      default:
        return this.#move(step);
    }
  }

  members(): Promise<readonly PresenceEntry[]> {
    return this.harness.app.channel('room/:roomId', { roomId: 'a' }).presence.members();
  }

  async #move({ do: what, who, color }: Exclude<Step, { readonly do: 'wait' | 'subscribe' | 'unsubscribe' }>) {
    const client = this.sessions[who] as TestClient;
    if (what === 'resume') {
      if (this.#linked.has(client)) return;
      this.#linked.add(client);
      return client.resume();
    }
    if (!this.#linked.has(client)) return;
    if (what === 'enter') client.request('room/a', '$enter', { color });
    else if (what === 'leave') client.request('room/a', '$leave');
    else this.#linked.delete(client);
    if (what === 'cut') client.cut();
    if (what === 'close') {
      client.send([Type.goaway, 'closed', '', 0]);
      this.sessions[who] = await this.harness.connect(client.user);
      this.#linked.add(this.sessions[who]);
    }
    return turn();
  }

  #add(client: TestClient): void {
    this.sessions.push(client);
    this.#linked.add(client);
  }
}

describe('presence', () => {
  it('is the same to every subscriber in the end as it is here, and nobody who has left is shown for long', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const world = await World.create();
        const { clock } = world.harness;
        /** When each user was in last. */
        const lastIn = new Map<string, number>();
        for (const step of steps) {
          const before = new Map((await world.members()).map((member) => [member.id, member]));
          for (const id of before.keys()) lastIn.set(id, clock.now());
          await world.take(step);
          for (const { id } of await world.members()) lastIn.set(id, clock.now());
          for (const { client, subscribed } of world.watchers) {
            if (!subscribed) continue;
            for (const id of seenBy(client).keys()) {
              expect(clock.now() - (lastIn.get(id) ?? Number.NEGATIVE_INFINITY)).toBeLessThanOrEqual(World.windowMs);
            }
          }
        }
        await clock.advance(World.windowMs);
        const members = byId(await world.members());
        for (const { client, subscribed } of world.watchers) {
          if (subscribed) expect(byId(seenBy(client).values())).toEqual(members);
        }
        // Those who have gone have left nothing behind.
        expect((await world.harness.app.channel('room/:roomId', { roomId: 'a' }).occupancy()).members).toBe(
          members.length,
        );
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});
