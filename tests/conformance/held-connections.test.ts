/** Many tabs with a session each, without WebSocket: how many of them hold a connection open. */
import type { Transport } from '@runnel/client';
import { afterEach, expect, it, vi } from 'vitest';
import { FakeOrigin } from '../support/fake-origin.ts';
import { condition, connect, roomOf, statesOf, type TestClient, TestServer, textsOf } from './harness.ts';

const HTTP: readonly Transport[] = ['stream', 'poll'];

afterEach(() => vi.unstubAllGlobals());

function openMany(count: number, server: TestServer, origin = new FakeOrigin()): TestClient[] {
  return Array.from({ length: count }, () =>
    connect(server, { transports: HTTP, environment: origin.openTab().environment }),
  );
}

const isOn = (client: TestClient, transport: string): Promise<unknown> =>
  statesOf(client).find((state) => state.status === 'open' && state.transport === transport);

const streamsOf = (server: TestServer): number => server.realtime.stats().transports.stream;

it('three of ten tabs do, the others ask in short, and one that closes makes room for another', async () => {
  const server = await TestServer.start();
  const clients = openMany(10, server);
  const heard = clients.map((client) => textsOf(roomOf(client)));
  await Promise.all(clients.map((client) => roomOf(client).ready()));
  await condition('three have a stream', () => streamsOf(server) === 3);
  await roomOf(clients[0] as TestClient).publish('message', { text: 'to all' });
  await Promise.all(heard.map((texts) => texts.count(1)));
  expect(server.realtime.stats().transports).toEqual({ websocket: 0, stream: 3, poll: 7 });
  const [streaming] = clients.filter((client) => client.diagnose().transport === 'stream');
  streaming?.close();
  await condition('another has its place', () => {
    const { stream, poll } = server.realtime.stats().transports;
    return stream === 3 && poll === 6;
  });
});

it('one that has a WebSocket has no place, and takes one when it falls back', async () => {
  const server = await TestServer.start();
  const origin = new FakeOrigin();
  const client = connect(server, { environment: origin.openTab().environment });
  await isOn(client, 'websocket');
  expect(origin.held('runnel:held:')).toBe(0);
  await client.use('poll');
  await condition('it has a place', () => origin.held('runnel:held:') === 1);
  await client.use('auto');
  await isOn(client, 'websocket');
  await condition('it has none', () => origin.held('runnel:held:') === 0);
});

it('all of them do where connections carry any number of requests', async () => {
  const server = await TestServer.start();
  vi.spyOn(performance, 'getEntries').mockReturnValue([
    { name: `http://127.0.0.1:${server.port}/page`, nextHopProtocol: 'h2' } as never,
  ]);
  const clients = openMany(5, server);
  await Promise.all(clients.map((client) => isOn(client, 'stream')));
  expect(streamsOf(server)).toBe(5);
  vi.restoreAllMocks();
});

it('without locks those that are visible do', async () => {
  const document = Object.assign(new EventTarget(), { visibilityState: 'hidden' });
  vi.stubGlobal('document', document);
  const server = await TestServer.start();
  const client = connect(server, { transports: HTTP });
  await client.connect();
  await roomOf(client).request('ask', 1);
  expect(client.diagnose().transport).toBe('poll');
  document.visibilityState = 'visible';
  document.dispatchEvent(new Event('visibilitychange'));
  await isOn(client, 'stream');
  document.visibilityState = 'hidden';
  document.dispatchEvent(new Event('visibilitychange'));
  await isOn(client, 'poll');
});
