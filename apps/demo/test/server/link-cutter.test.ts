import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { realtimePath } from '../../src/realtime-path.ts';
import { LinkCutter } from '../../src/server/link-cutter.ts';

let cutter: LinkCutter;
let server: Server;
const clients: Socket[] = [];

beforeEach(async () => {
  cutter = new LinkCutter();
  // Answers begin, and do not end: like a stream, or a held poll.
  server = createServer({ IncomingMessage: cutter.Request }, (_request, response) => response.write('held'));
  server.on('upgrade', (_request, socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

/** A connection over which a request has been made, and answered so far as it will be. */
async function request(target: string, headers = ''): Promise<Socket> {
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  clients.push(client);
  client.write(`GET ${target} HTTP/1.1\r\nHost: demo\r\n${headers}\r\n`);
  await once(client, 'data');
  return client;
}

function lost(client: Socket): Promise<string | undefined> {
  return new Promise((resolve) => client.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code)));
}

it('resets the connections of the tab that asks, whatever they carry', async () => {
  const stream = await request(`${realtimePath}?tab=mine`);
  const socket = await request(`${realtimePath}?tab=mine`, 'Connection: Upgrade\r\nUpgrade: websocket\r\n');
  const both = Promise.all([lost(stream), lost(socket)]);
  expect(cutter.cut('mine')).toBe(2);
  expect(await both).toEqual(['ECONNRESET', 'ECONNRESET']);
});

it('leaves everybody else alone', async () => {
  await request(`${realtimePath}?tab=theirs`);
  await request(`${realtimePath}`);
  // The one that asks for the cut must live to hear the answer.
  await request('/demo/cut?tab=mine');
  expect(cutter.cut('mine')).toBe(0);
});

it('forgets connections that have ended', async () => {
  const arrived = once(server, 'connection') as Promise<[Socket]>;
  const client = await request(`${realtimePath}?tab=mine`);
  const [accepted] = await arrived;
  const ended = once(accepted, 'close');
  client.destroy();
  await ended;
  expect(cutter.cut('mine')).toBe(0);
});
