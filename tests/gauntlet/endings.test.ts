/** Where a session cannot get through, or does not live on: what the app is told. */
import { createClient } from '@runnel/client';
import { channel, defineContract } from '@runnel/protocol';
import { createServer } from '@runnel/server';
import { describe, type TestContext, vi } from 'vitest';
import { z } from 'zod';
import { ElasticClock } from '../support/elastic-clock.ts';
import { MortalHttpServer } from '../support/mortal-http-server.ts';
import { type Interference, Middlebox, NOTHING } from './intermediaries/middlebox.ts';
import { Page } from './intermediaries/page.ts';
import { lapse } from './lapse.ts';

const Tick = z.object({ n: z.number() });
const contract = defineContract({
  fleeting: channel({ events: { tick: Tick } }),
  short: channel({ events: { tick: Tick }, history: { size: 3, ttl: '1h' } }),
  long: channel({ events: { tick: Tick }, history: { size: 100, ttl: '1h' } }),
});

const TEN_MINUTES_MS = 600_000;
const WAIT = { timeout: 20_000, interval: 20 };

type Finished = TestContext['onTestFinished'];

async function connect(interference: Interference, onTestFinished: Finished) {
  const clock = new ElasticClock();
  const http = new MortalHttpServer();
  const realtime = createServer({ contract, clock, authenticate: () => ({ id: 'ann' }) });
  for (const pattern of ['fleeting', 'short', 'long'] as const) realtime.handle(pattern, { open: true });
  await http.listen((server) => realtime.attach(server));
  onTestFinished(async () => {
    await http.crash();
    await realtime.close({ timeoutMs: 0 });
  });
  const box = await Middlebox.start(http.port, interference);
  onTestFinished(() => box.stop());
  const page = new Page();
  const client = createClient<typeof contract>(`http://127.0.0.1:${box.port}/realtime`, {
    environment: page.environment,
  });
  onTestFinished(() => client.close());
  return { box, client, clock, page, realtime };
}

describe.concurrent('where a session ends', (it) => {
  it('and nothing passes, diagnose() says what was tried, and with what outcome', async ({
    expect,
    onTestFinished,
  }) => {
    const { client } = await connect({ up: () => NOTHING }, onTestFinished);
    await vi.waitFor(() => expect(client.state).toMatchObject({ status: 'connecting', attempt: 3 }), WAIT);
    const { attempts, transport } = client.diagnose();
    expect(transport).toBeNull();
    const failed = { outcome: 'failed', reason: 'no answer in time' };
    expect(attempts).toContainEqual(expect.objectContaining({ transport: 'poll', step: 'attach', ...failed }));
    await vi.waitFor(() => {
      const opened = expect.objectContaining({ transport: 'websocket', step: 'open', ...failed });
      expect(client.diagnose().attempts).toContainEqual(opened);
    }, WAIT);
    expect(client.diagnose().attempts.filter(({ outcome }) => outcome === 'ok')).toEqual([]);
  });

  it('while its machine sleeps, each channel says whether anything was missed', async ({ expect, onTestFinished }) => {
    const { box, client, clock, page, realtime } = await connect({}, onTestFinished);
    const names = ['fleeting', 'short', 'long'] as const;
    const came = { fleeting: [] as number[], short: [] as number[], long: [] as number[] };
    const channels = names.map((name) => client.channel(name));
    for (const [i, name] of names.entries()) channels[i]?.on('tick', ({ n }) => came[name].push(n));
    await vi.waitFor(
      () => expect(channels.map(({ state }) => state.status)).toEqual(names.map(() => 'subscribed')),
      WAIT,
    );
    const broadcast = (n: number) => Promise.all(names.map((name) => realtime.channel(name).broadcast('tick', { n })));
    await broadcast(0);
    await vi.waitFor(() => expect(came).toEqual({ fleeting: [0], short: [0], long: [0] }), WAIT);

    page.fallAsleep();
    for (const passage of box.passages) passage.silent = true;
    for (const n of [1, 2, 3, 4, 5]) await broadcast(n);
    await lapse(clock, TEN_MINUTES_MS);
    page.awake(TEN_MINUTES_MS);
    page.wake();
    await vi.waitFor(() => {
      expect(channels.map(({ state }) => state)).toEqual([
        { status: 'subscribed', recovered: false },
        { status: 'subscribed', recovered: false },
        { status: 'subscribed', recovered: true },
      ]);
    }, WAIT);
    await broadcast(6);
    await vi.waitFor(() => expect(came.fleeting).toContain(6), WAIT);
    expect(came).toEqual({ fleeting: [0, 6], short: [0, 3, 4, 5, 6], long: [0, 1, 2, 3, 4, 5, 6] });
  });
});
