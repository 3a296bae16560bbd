/**
 * Random schedules over hub and broker: everything takes a random time, live messages come late, out of order or not at all, clients
 * come, go and subscribe again. What must hold: each follower applies every message from where it began, once and in order.
 */
import { Type } from '@runnel/protocol';
import { expect, it } from 'vitest';
import type { MemoryBrokerStep } from '../src/brokers/memory.ts';
import type { Harness, TestClient } from './harness.ts';
import { openRoom } from './open-room.ts';

const CHANNEL = 'room/a';
const SEEDS = 150;

/** mulberry32 */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Follows one channel by the rules of PROTOCOL §5.16 and §5.17. */
class Follower {
  readonly applied: number[] = [];
  readonly #client: TestClient;
  #taken = 0;
  #id: number;
  #n: number | null = null;
  #position: { epoch: string; offset: number } | null = null;

  constructor(client: TestClient) {
    this.#client = client;
    this.#id = client.subscribe(CHANNEL);
  }

  get following(): boolean {
    return this.#n !== null;
  }

  again(): void {
    this.#n = null;
    this.#id = this.#client.subscribe(CHANNEL, this.#position === null ? {} : { since: this.#position });
  }

  leaveAndReturn(): void {
    this.#client.send([Type.unsubscribe, CHANNEL]);
    this.again();
  }

  take(): void {
    for (; this.#taken < this.#client.frames.length; this.#taken += 1) {
      const frame = this.#client.frames[this.#taken];
      if (frame?.[0] === Type.subscribed && frame[1] === this.#id) {
        const { n, epoch, offset, recovered } = frame[2];
        expect(recovered).toBe(this.#position === null ? null : true);
        if (this.#position !== null) expect(offset).toBe(this.#position.offset);
        this.#n = n;
        this.#position = { epoch, offset };
      } else if (frame?.[0] === Type.error && frame[1] === this.#id) {
        expect(frame[2]).toBe('broker_failed');
        this.again();
      } else if (frame?.[0] === Type.revoked && frame[1] === this.#n) this.again();
      else if (frame?.[0] === Type.message && frame[1] === this.#n) this.#apply(frame[2]);
    }
  }

  #apply(place: number | readonly [number, number]): void {
    const [offset, prev] = typeof place === 'number' ? [place, place - 1] : place;
    if (this.#position === null || offset <= this.#position.offset) return;
    if (prev > this.#position.offset) return this.again();
    expect(offset).toBe(this.#position.offset + 1);
    this.#position = { ...this.#position, offset };
    this.applied.push(offset);
  }
}

async function run(seed: number): Promise<void> {
  const random = randomOf(seed);
  let faults = true;
  const latency = (step: MemoryBrokerStep): Promise<void> | undefined => {
    if (random(3) === 0) return undefined;
    return new Promise((resolve, reject) => {
      const lost = faults && random(10) === 0 && step !== 'publish' && step !== 'accepted';
      harness.clock.after(random(40), () => (lost ? reject(new Error('lost')) : resolve()));
    });
  };
  const harness: Harness = openRoom({}, { latency });
  const room = harness.app.channel('room/:roomId', { roomId: 'a' });
  const followers: Follower[] = [];
  let published = 0;
  for (let step = 0; step < 60; step += 1) {
    const action = random(8);
    if (followers.length < 4 && (action === 0 || step === 0)) {
      followers.push(new Follower(await harness.connect(`user${followers.length}`)));
    } else if (action === 1) followers[random(followers.length)]?.again();
    else if (action === 2) followers[random(followers.length)]?.leaveAndReturn();
    else {
      published += 1;
      void room.broadcast('note', String(published));
    }
    await harness.clock.advance(random(15));
    for (const follower of followers) follower.take();
  }
  faults = false;
  // The last messages show whatever was lost before them.
  for (let round = 0; round < 6; round += 1) {
    if (round < 2) {
      published += 1;
      void room.broadcast('note', String(published));
    }
    await harness.clock.advance(500);
    for (const follower of followers) follower.take();
  }
  for (const { applied, following } of followers) {
    expect(following).toBe(true);
    const first = applied[0] ?? published + 1;
    expect(applied).toEqual(Array.from({ length: published - first + 1 }, (_, i) => first + i));
    expect(applied.at(-1)).toBe(published);
  }
  expect(harness.app.stats).toMatchObject({ channels: 1, subscriptions: followers.length });
}

it(`brings every message to every follower once, in order, whatever comes between (${SEEDS} schedules)`, async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    try {
      await run(seed);
    } catch (error) {
      throw new Error(`seed ${seed} failed`, { cause: error });
    }
  }
});
