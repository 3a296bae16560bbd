import { createServer } from 'node:http';
import express from 'express';
import { expect, it } from 'vitest';
import type { Gateway } from '../../src/gateway.ts';
import { attachByPoll, attachFrame, Body, lines, post, TestSocket } from '../transports/clients.ts';
import { listen, newGateway, serve } from '../transports/test-server.ts';

const text = async (url: string) => (await fetch(url)).text();

it.each([
  ['at the root', (app: express.Express, gateway: Gateway<{ id: string }>) => app.use(gateway.middleware())],
  [
    'below its path',
    (app: express.Express, gateway: Gateway<{ id: string }>) => app.use('/realtime', gateway.middleware()),
  ],
  [
    'behind something that reads bodies',
    (app: express.Express, gateway: Gateway<{ id: string }>) =>
      app.use(express.text({ type: '*/*' }), gateway.middleware()),
  ],
])('works as an Express middleware %s, WebSocket included', async (_where, mount) => {
  const gateway = newGateway();
  const app = express();
  mount(app, gateway);
  app.use((request, response) => void response.send(`elsewhere ${request.url}`));
  const port = await listen(createServer(app));
  const url = `http://127.0.0.1:${port}/realtime`;
  expect(await text(`http://127.0.0.1:${port}/page`)).toBe('elsewhere /page');
  const { frames } = await post(url, lines(attachFrame()));
  expect(frames[0]?.[0]).toBe(0);
  const socket = await TestSocket.open({ url });
  const welcome = await socket.attach({ gen: 2, key: frames[0]?.[1].key });
  expect(welcome.resumed).toBe(true);
  const body = await Body.open(url, lines(attachFrame({ mode: 'stream', gen: 3, key: welcome.key })));
  expect((await body.next())?.[1]).toMatchObject({ gen: 3, resumed: true });
});

it('attaches before Express, which never sees its requests', async () => {
  const app = express();
  const seen: string[] = [];
  app.use((request, response) => {
    seen.push(request.url);
    response.send('elsewhere');
  });
  const server = await serve({}, createServer(app));
  await attachByPoll(server);
  expect(seen).toEqual([]);
});
