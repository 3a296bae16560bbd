import { TRANSPORTS } from '@runnel/protocol';
import { expect, it, onTestFinished } from 'vitest';
import { Collector } from '../support/collector.ts';
import { type NodeProcess, Processes } from './processes.ts';

const CLIENTS = 12;

it('a rolling restart loses nothing, without a log either, and no client sees an error', async () => {
  const processes = await Processes.start(3);
  onTestFinished(() => processes.stop());
  const seen = await Promise.all(
    Array.from({ length: CLIENTS }, async (_, i) => {
      const transport = TRANSPORTS[i % TRANSPORTS.length] ?? 'websocket';
      const client = processes.client(`client-${i}`, { transports: [transport] });
      const live = new Collector<string>();
      const gaps: unknown[] = [];
      const channel = client.channel('live');
      channel.on('item', live.push);
      channel.onGap((gap) => gaps.push(gap));
      await channel.ready();
      return { client, live, gaps };
    }),
  );

  const sent: string[] = [];
  const publishes: Promise<void>[] = [];
  /** One message by a node, and one by each client. */
  const round = async (node: NodeProcess): Promise<void> => {
    const text = String(sent.length);
    sent.push(text);
    node.tell({ do: 'broadcast', text });
    for (const { client } of seen)
      publishes.push(client.channel('feed/:id', { id: 'a' }).publish('item', text, { timeoutMs: 30_000 }));
    await node.news.find((news) => news.is === 'broadcast' && news.text === text);
  };

  for (const [n, node] of processes.nodes.entries()) {
    const other = processes.nodes[(n + 1) % 3] as NodeProcess;
    let restarted = false;
    const restart = node.end('SIGTERM').then(async () => {
      await node.start();
      restarted = true;
    });
    while (!restarted) await round(other);
    await restart;
    await round(node);
  }

  await Promise.all(publishes);
  for (const { client, live, gaps } of seen) {
    await live.find((text) => text === sent.at(-1));
    expect({ items: live.items, gaps, diagnosis: client.diagnose() }).toMatchObject({ items: sent, gaps: [] });
    expect(client.state.status).not.toBe('closed');
  }
  expect(sent.length).toBeGreaterThan(50);
}, 120_000);
