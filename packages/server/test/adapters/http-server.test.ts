import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { createServer as createTlsServer, request as tlsRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { attachFrame, framesOf, lines, post, RawConnection, requestText, TestSocket } from '../transports/clients.ts';
import { listen, newGateway, serve } from '../transports/test-server.ts';

const elsewhere: RequestListener = (request, response) => response.end(`elsewhere ${request.url}`);
const text = async (url: string) => (await fetch(url)).text();
const welcomed = async (url: string) => (await post(url, lines(attachFrame()))).frames[0]?.[0] === 0;

it('takes its path and leaves every other request to the listeners', async () => {
  const server = await serve({}, createServer(elsewhere));
  const root = `http://127.0.0.1:${server.port}`;
  expect(await text(`${root}/`)).toBe('elsewhere /');
  const others = ['/realtime/', '/realtimes', '/realtim', '/x/realtime', '/REALTIME'];
  for (const path of [...others, '/realtime/event', '/realtime/events/', '/realtime/eventsx', '/events']) {
    expect(await text(root + path)).toBe(`elsewhere ${path}`);
  }
  expect(await welcomed(`${root}/realtime`)).toBe(true);
  expect(await welcomed(`${root}/realtime?x=/`)).toBe(true);
  expect(await text(`${root}/realtime/events`)).toContain('"channel_invalid"');
  expect(await text(`${root}/realtime/events?rewind=1`)).toContain('"channel_invalid"');
});

it('takes its path whenever it is attached, and whenever listeners are added', async () => {
  const seen: (string | undefined)[] = [];
  const see = ({ url }: IncomingMessage) => void seen.push(url);
  const server = createServer();
  server.on('request', see);
  const port = await listen(server);
  const gateway = newGateway();
  gateway.attach(server);
  server.prependListener('request', see);
  server.on('request', elsewhere);
  expect(await welcomed(`http://127.0.0.1:${port}/realtime`)).toBe(true);
  expect(await text(`http://127.0.0.1:${port}/`)).toBe('elsewhere /');
  expect(seen).toEqual(['/', '/']);
});

it('gives the server back', async () => {
  const server = createServer(elsewhere);
  const port = await listen(server);
  const gateway = newGateway();
  gateway.attach(server);
  gateway.attach(server);
  gateway.detach(server);
  expect(await text(`http://127.0.0.1:${port}/realtime`)).toBe('elsewhere /realtime');
  expect(Object.hasOwn(server, 'emit')).toBe(false);
  expect(server.listenerCount('upgrade')).toBe(0);
});

it('steps aside without undoing who came after it', async () => {
  const server = createServer(elsewhere);
  const port = await listen(server);
  const [first, second] = [newGateway(), newGateway()];
  first.attach(server);
  second.attach(server);
  first.detach(server);
  expect(await welcomed(`http://127.0.0.1:${port}/realtime`)).toBe(true);
  expect(second.registry.size).toBe(1);
});

it('leaves upgrades on other paths to their listeners', async () => {
  const { server, url, port } = await serve();
  const upgraded = once(server, 'upgrade');
  const raw = new RawConnection(port);
  raw.write('GET /dev-server HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  const [request, socket] = (await upgraded) as [IncomingMessage, Socket];
  expect(request.url).toBe('/dev-server');
  socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n');
  await raw.until('101');
  await TestSocket.open({ url });
});

it('leaves upgrades on the path of events to their listeners', async () => {
  const { server, port } = await serve();
  const upgraded = once(server, 'upgrade');
  const raw = new RawConnection(port);
  raw.write('GET /realtime/events HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  const [, socket] = (await upgraded) as [IncomingMessage, Socket];
  socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n');
  await raw.until('101');
});

it('keeps upgrades on its path from the other listeners', async () => {
  const { server, url } = await serve();
  const seen: unknown[] = [];
  server.on('upgrade', (request) => seen.push(request.url));
  server.prependListener('upgrade', (request) => seen.push(request.url));
  await TestSocket.open({ url });
  expect(seen).toEqual([]);
});

it('makes no upgrade of a request that would not have been one without it', async () => {
  const server = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (data) => response.end(`${request.method} ${request.url} ${data}`));
  });
  await serve({}, server);
  const raw = new RawConnection((server.address() as AddressInfo).port);
  const headers = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';
  raw.write(requestText('one', { path: '/first', headers }));
  await raw.until('POST /first one');
  raw.write(requestText('two', { path: '/second', headers }));
  await raw.until('POST /second two');
});

it('continues a request that asks whether it may', async () => {
  const { server, port } = await serve();
  server.on('checkContinue', (_request, response) => response.writeHead(417).end());
  const raw = new RawConnection(port);
  const body = lines(attachFrame());
  const [head] = requestText(body, { headers: 'Expect: 100-continue\r\n' }).split('[0');
  raw.write(head as string);
  await raw.until('HTTP/1.1 100 Continue');
  raw.write(body);
  await raw.until('"resumed":false');
});

it('works on an https server', async () => {
  // A shared key needs no certificate.
  const tls = { ciphers: 'PSK-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' } as const;
  const key = Buffer.from('0123456789abcdef');
  const server = createTlsServer({ ...tls, pskCallback: () => key });
  const gateway = newGateway();
  gateway.attach(server);
  const port = await listen(server);
  const client = {
    ...tls,
    port,
    host: '127.0.0.1',
    pskCallback: () => ({ psk: key, identity: 'x' }),
    checkServerIdentity: () => undefined,
  };
  const request = tlsRequest({ ...client, path: '/realtime', method: 'POST' });
  request.end(lines(attachFrame()));
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let answer = '';
  for await (const chunk of response.setEncoding('utf8')) answer += chunk;
  const { key: resume } = JSON.parse(answer.split('\n')[0] as string)[1];
  const ws = new WebSocket(`wss://127.0.0.1:${port}/realtime`, client);
  onTestFinished(() => ws.terminate());
  await once(ws, 'open');
  ws.send(JSON.stringify(attachFrame({ mode: 'websocket', gen: 2, key: resume })));
  const [welcome] = await once(ws, 'message');
  expect(JSON.parse(String(welcome).split('\n')[0] as string)[1]).toMatchObject({ resumed: true });
});

it('works on an HTTP/2 server', async () => {
  const server = createHttp2Server();
  const gateway = newGateway();
  gateway.attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  const ask = (body: string) =>
    client.request({ ':method': 'POST', ':path': '/realtime' }).end(body).setEncoding('utf8');
  let answer = '';
  for await (const chunk of ask(lines(attachFrame()))) answer += chunk;
  const [welcome, end] = framesOf(answer);
  expect([welcome?.[0], end]).toEqual([0, [13]]);
  const stream = ask(lines(attachFrame({ mode: 'stream', gen: 2, key: welcome?.[1].key })));
  const [opened] = await once(stream, 'data');
  expect(framesOf(opened)[0]?.[1]).toMatchObject({ gen: 2, resumed: true });
  const ended = once(stream, 'end');
  await gateway.close();
  await ended;
});
