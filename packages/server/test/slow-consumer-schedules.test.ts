/**
 * Random schedules of messages to sessions that are slow now and then: their sockets stop draining, they are cut off, they acknowledge
 * late, they subscribe again. What must hold: offsets rise, whatever is missing was declared once, and what came last of each key arrived.
 */
import { Type } from '@runnel/protocol';
import { Random } from '@runnel/protocol/testing';
import { expect, it } from 'vitest';
import { Harness, type TestClient } from './harness.ts';
import { lossyContract } from './lossy-contract.ts';
import { turn } from './virtual-clock.ts';

const SEEDS = 150;
const SYMBOLS = ['a', 'b', 'c'] as const;

type Name = 'prices' | 'kept';

/** Follows one channel by the rules of PROTOCOL §5.16, §5.17 and §5.23. */
class Follower {
  readonly client: TestClient;
  /** Every offset, and whether it came (true) or was said to be skipped. */
  readonly accounted = new Map<number, boolean>();
  skips = 0;
  isCut = false;
  readonly #channel: Name;
  #taken = 0;
  #id: number;
  #n: number | null = null;
  #position: { epoch: string; offset: number } | null = null;

  constructor(client: TestClient, channel: Name) {
    this.client = client;
    this.#channel = channel;
    this.#id = client.subscribe(channel);
  }

  again(): void {
    this.#n = null;
    this.#id = this.client.subscribe(this.#channel, this.#position === null ? {} : { since: this.#position });
  }

  take(): void {
    for (; this.#taken < this.client.frames.length; this.#taken += 1) {
      const frame = this.client.frames[this.#taken];
      if (frame?.[0] === Type.subscribed && frame[1] === this.#id) {
        const { n, epoch, offset, recovered } = frame[2];
        expect(recovered).toBe(this.#position === null ? null : true);
        this.#n = n;
        this.#position = { epoch, offset };
      } else if (frame?.[0] === Type.skipped && frame[1] === this.#n) this.#skip(frame[2], frame[3]);
      else if (frame?.[0] === Type.message && frame[1] === this.#n && typeof frame[2] === 'number')
        this.#apply(frame[2]);
    }
  }

  #skip(from: number, to: number): void {
    this.skips += 1;
    const { epoch = '', offset = 0 } = this.#position ?? {};
    expect(from).toBe(offset + 1);
    expect(to).toBeGreaterThanOrEqual(from);
    for (let at = from; at <= to; at += 1) this.accounted.set(at, false);
    this.#position = { epoch, offset: to };
  }

  #apply(offset: number): void {
    const { epoch = '', offset: position = 0 } = this.#position ?? {};
    expect(offset).toBe(position + 1);
    this.accounted.set(offset, true);
    this.#position = { epoch, offset };
  }
}

async function run(seed: number, channel: Name, seen: { skips: number }): Promise<void> {
  const random = new Random(seed);
  const harness = new Harness({
    contract: lossyContract,
    limits: { waitingMessages: 6, ...(channel === 'kept' && { outboxFrames: 24 }) },
  });
  harness.app.handlers.add(channel, { open: true });
  const to = harness.app.channel(channel, {});
  const followers: Follower[] = [];
  for (const user of ['ann', 'bob']) followers.push(new Follower(await harness.connect(user), channel));
  await turn();
  for (const follower of followers) follower.take();
  let published = 0;
  /** Offset of the newest quote, by symbol. */
  const newest = new Map<string, number>();
  const publish = (): void => {
    published += 1;
    const symbol = random.pick(SYMBOLS);
    if (channel === 'kept') void to.broadcast('item', published);
    else if (random.chance(0.3)) void to.broadcast('trade', published);
    else {
      newest.set(symbol, published);
      void to.broadcast('quote', { symbol, price: published });
    }
  };
  for (let step = 0; step < 120; step += 1) {
    const follower = random.pick(followers);
    const { client } = follower;
    const action = random.int(0, 19);
    if (action < 12) publish();
    else if (action < 14) client.congested = true;
    else if (action < 16) client.drain();
    else if (action === 16 && !follower.isCut) client.ack();
    else if (action === 17 && !follower.isCut) {
      client.cut();
      follower.isCut = true;
    } else if (action === 18 && follower.isCut) {
      client.congested = false;
      client.attach();
      follower.isCut = false;
    } else if (action === 19 && !follower.isCut && random.chance(0.3)) follower.again();
    // Not always: several things happen within one turn.
    if (random.chance(0.5)) await turn();
    for (const each of followers) each.take();
  }
  for (const { client, isCut } of followers) {
    client.congested = false;
    if (isCut) client.attach();
    client.drain();
  }
  publish();
  for (let round = 0; round < 40; round += 1) {
    for (const follower of followers) {
      follower.client.ack();
      follower.take();
    }
    await turn();
  }
  for (const { accounted, skips, client } of followers) {
    expect(client.session.ended).toBeNull();
    expect([...accounted.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: published }, (_, i) => i + 1));
    for (const offset of newest.values()) expect(accounted.get(offset)).toBe(true);
    seen.skips += skips;
  }
}

it.each(['prices', 'kept'] as const)(
  `declares once what a slow session does not get of %s, and brings it the rest in order (${SEEDS} schedules)`,
  async (channel) => {
    const seen = { skips: 0 };
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      try {
        await run(seed, channel, seen);
      } catch (error) {
        throw new Error(`seed ${seed} failed`, { cause: error });
      }
    }
    expect(seen.skips).toBeGreaterThan(SEEDS);
  },
);
