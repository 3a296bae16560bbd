/** What a client that has lived through something tells of it. */
import { expect, test } from 'vitest';
import { explain } from '../../src/diagnose/index.ts';
import { EPOCH, World } from '../world.ts';

const PORTAL = '<!doctype html>\n<title>Welcome to the airport</title>\n';

test('all is well', async () => {
  const world = new World();
  const client = world.client();
  await world.until(() => client.diagnose().transport === 'websocket');
  const told = explain(client.diagnose());
  expect(told.verdict).toBe('Connected over WebSocket');
  expect(told.transports.map(({ kind }) => kind)).toEqual(['carries', 'untried', 'works']);
  client.close();
});

test('WebSocket is blocked, and when it is tried again is foreseen', async () => {
  const world = new World();
  world.webSockets = false;
  const client = world.client();
  const failures = () => client.diagnose().attempts.filter(({ outcome }) => outcome === 'failed');
  // The first of them failed before anything carried the session.
  for (const count of [2, 3, 4]) {
    await world.until(() => failures().length === count && client.diagnose().transport === 'stream');
    const told = explain(client.diagnose(), { time: (at) => `[${at - EPOCH}]` });
    expect(told.verdict).toBe('Connected over a stream; WebSocket is blocked on this path');
    const expected = Number(/about \[([\d.]+)\]/.exec(told.transports[0]?.retry ?? '')?.[1]);
    const waited = failures().at(-1);
    await world.until(() => failures().length > count);
    const next = failures().at(-1);
    const between = (next?.at ?? 0) - (waited?.at ?? 0);
    expect(Math.abs((next?.at ?? 0) - EPOCH - expected)).toBeLessThan(between * 0.4);
  }
  client.close();
});

test('a captive portal', async () => {
  const world = new World();
  world.webSockets = false;
  const client = world.client({ environment: { fetch: () => Promise.resolve(new Response(PORTAL)) } });
  await world.until(() => client.diagnose().attempts.length > 0);
  const told = explain(client.diagnose());
  expect(told.verdict).toMatch(/^Not connected: somebody else answers/);
  expect(told.transports.at(-1)?.kind).toBe('intercepted');
  client.close();
});

test('nothing gets through, and then all does', async () => {
  const world = new World();
  const client = world.client();
  await world.until(() => client.diagnose().transport === 'websocket');
  await world.run(5_000);
  world.online = false;
  for (const socket of world.sockets) socket.break();
  await world.until(() =>
    client.diagnose().attempts.some(({ step, outcome }) => step === 'attach' && outcome === 'failed'),
  );
  const down = explain(client.diagnose());
  expect(down.verdict).toBe('Not connected: the server cannot be reached');
  expect(down.health).toBe('down');
  world.online = true;
  await world.until(() => client.diagnose().transport === 'websocket');
  const up = explain(client.diagnose());
  expect(up.verdict).toBe('Connected over WebSocket');
  expect(up.connection.map(({ title }) => title)).toEqual(['The link was lost once']);
  expect(up.connection[0]?.evidence).toMatch(/WebSocket was closed with 1006 after 5\.\d s; Polling took over after/);
  client.close();
});

test('credentials that cannot be had', async () => {
  const world = new World();
  const client = world.client({ auth: () => Promise.reject(new Error('the token endpoint is down')) });
  await world.run(1_000);
  expect(explain(client.diagnose()).verdict).toBe('Connecting; the first attempt is under way');
  client.close();
  expect(explain(client.diagnose()).verdict).toBe('Closed: the session was ended on purpose');
});

test('what the options allow', () => {
  const client = new World().client({ transports: ['stream', 'poll'], autoConnect: false });
  const told = explain(client.diagnose());
  expect(told.verdict).toBe('Not connected: nothing was asked for yet');
  expect(told.transports.map(({ kind }) => kind)).toEqual(['excluded', 'untried', 'untried']);
});
