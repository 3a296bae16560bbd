/** One node of a cluster, as an app runs it. Usage: node.ts <port> <url of Redis> <leaseMs>. It ends with SIGTERM, as docs/guide/cluster.md says. */
import { createServer as createHttpServer } from 'node:http';
import { createServer } from '@runnel/server';
import { redisBroker } from '@runnel/server/redis';
import { contract, type NodeNews, type NodeOrder } from './contract.ts';

/** How often what is to be published per second is published, ms. */
const TICK_MS = 50;

const [port, url, leaseMs] = process.argv.slice(2) as [string, string, string];
const realtime = createServer({
  contract,
  broker: redisBroker({ url, leaseMs: Number(leaseMs) }),
  authenticate: ({ auth }) => ({ id: String(auth) }),
  // The broker is cut on purpose.
  onError: () => {},
});
realtime.handle('feed/:id', { open: true });
realtime.handle('live', { open: true });

const http = createHttpServer((_, response) => response.writeHead(404).end());
realtime.attach(http);
http.listen(Number(port), '127.0.0.1', () => tell({ is: 'listening' }));

const tell = (news: NodeNews): void => void process.send?.(news);
const name = `node ${process.pid}`;
const underWay = new Set<Promise<unknown>>();
let count = 0;
let timer: NodeJS.Timeout | undefined;

function publish(channel: string): void {
  count += 1;
  const text = `${name} ${count} ${Date.now()}`;
  const published = realtime
    .channel('feed/:id', { id: channel })
    .broadcast('item', text)
    .then(
      () => tell({ is: 'accepted', channel, text }),
      () => {},
    )
    .finally(() => underWay.delete(published));
  underWay.add(published);
}

process.on('message', async (order: NodeOrder) => {
  if (order.do === 'broadcast') {
    await realtime.channel('live').broadcast('item', order.text);
    tell({ is: 'broadcast', text: order.text });
  } else if (order.do === 'rest') {
    clearInterval(timer);
    await Promise.all(underWay);
    tell({ is: 'resting' });
  } else {
    const { channels, perSecond } = order;
    let due = 0;
    timer = setInterval(() => {
      for (due += (perSecond * TICK_MS) / 1_000; due >= 1; due -= 1)
        publish(channels[count % channels.length] as string);
    }, TICK_MS);
  }
});

process.once('SIGTERM', async () => {
  clearInterval(timer);
  await Promise.all(underWay);
  // Nobody comes any more; those who are here are brought to other nodes.
  http.close();
  await realtime.close();
  process.exit();
});
process.once('disconnect', () => process.exit());
