/** What becomes of each frame of a session whose client reads events. The application is one that says whatever a test wants. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { type DownFrame, encodeFrame, Type } from '@runnel/protocol';
import { expect, it, onTestFinished } from 'vitest';
import { sharedLine } from '../../src/shared-line.ts';
import { RawConnection } from './clients.ts';
import { EventBody } from './event-client.ts';
import { serve, type TestServer } from './test-server.ts';

const RETRY = { retry: '2000' };
const eventsOf = ({ url }: TestServer, query = 'channel=room') => `${url}/events?${query}`;

/** A body that was opened, after what it opens with. */
async function open(server: TestServer, query?: string): Promise<EventBody> {
  const body = await EventBody.open(eventsOf(server, query));
  expect(await body.next()).toEqual(RETRY);
  expect(await body.next()).toMatchObject({ event: '$subscribed' });
  return body;
}

/** Lets the session say something. */
function say({ app }: TestServer, ...frames: DownFrame[]): void {
  for (const frame of frames) app.session.enqueue(sharedLine(encodeFrame(frame)));
}

const subscribed = (id: number, told: object = {}): DownFrame => [
  Type.subscribed,
  id,
  { n: 1, epoch: 'e', offset: 0, head: 0, recovered: null, events: ['message'], ...told },
];

/** Turns of the event loop, until it holds. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate);
}

/** A reader that has stopped to read, and was sent more than the kernel holds for two ends of a connection. */
async function stall(server: TestServer, messages: number): Promise<IncomingMessage> {
  const [response] = (await once(get(eventsOf(server)), 'response')) as [IncomingMessage];
  onTestFinished(() => void response.destroy());
  response.on('error', () => {});
  const data = 'x'.repeat(50_000);
  for (let offset = 1; offset <= messages; offset += 1) server.app.broadcast(offset, data);
  await stuck(server);
  return response;
}

/** Nothing moves any more, for a number of turns of the event loop. */
async function stuck({ app }: TestServer): Promise<void> {
  const { link } = app.session;
  for (let [still, next] = [0, link?.next]; still < 30; still = link?.next === next ? still + 1 : 0) {
    next = link?.next;
    await new Promise(setImmediate);
  }
}

/** Everything that still comes. */
async function rest(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  response.on('data', (chunk) => chunks.push(chunk));
  // Not `once`, which would reject where it is cut.
  if (!response.closed) await new Promise((resolve) => response.on('close', resolve));
  return Buffer.concat(chunks).toString();
}

it('opens as an event stream that says where it stands', async () => {
  const server = await serve();
  const body = await EventBody.open(eventsOf(server));
  expect([body.status, Object.fromEntries(body.headers)]).toMatchObject([
    200,
    { 'content-type': 'text/event-stream', 'cache-control': 'no-store, no-transform', 'x-accel-buffering': 'no' },
  ]);
  expect([await body.next(), await body.next()]).toEqual([
    RETRY,
    { event: '$subscribed', id: 'e-0', data: '{"channel":"room","offset":0,"head":0,"recovered":null}' },
  ]);
});

it('brings messages with their place, and says what was left out', async () => {
  const server = await serve();
  const body = await open(server);
  server.app.broadcast(1, { text: 'one' });
  expect(await body.next()).toEqual({ event: 'message', id: 'e-1', data: '{"text":"one"}' });
  say(server, [Type.skipped, 1, 2, 4], [Type.message, 1, 5, 0, 'five']);
  expect(await body.next()).toEqual({ event: '$skipped', id: 'e-4', data: '{"from":2,"to":4}' });
  expect(await body.next()).toEqual({ event: 'message', id: 'e-5', data: '"five"' });
  say(server, [Type.snapshot, 1, { all: [1] }]);
  expect(await body.next()).toEqual({ event: '$snapshot', data: '{"all":[1]}' });
  server.app.session.sendLoose(sharedLine(encodeFrame([Type.volatile, 1, 0, 'now'])));
  expect(await body.next()).toEqual({ event: 'message', data: '"now"' });
});

it('passes over what was had before', async () => {
  const server = await serve();
  const body = await open(server);
  const message = (offset: number): DownFrame => [Type.message, 1, offset, 0, offset];
  say(server, message(1), message(1), [Type.skipped, 1, 1, 1], message(2));
  expect([(await body.next())?.['id'], (await body.next())?.['id']]).toEqual(['e-1', 'e-2']);
});

it('subscribes again where something is missing, and goes on without a word if that brings it', async () => {
  const server = await serve();
  const body = await open(server);
  say(server, [Type.message, 1, 1, 0, 'one'], [Type.message, 1, [4, 3], 0, 'four'], [Type.message, 1, 5, 0, 'five']);
  expect(await body.next()).toMatchObject({ id: 'e-1' });
  await until(() => server.app.frames.length > 0);
  expect(server.app.frames).toEqual([[Type.subscribe, 2, 'room', { since: { epoch: 'e', offset: 1 } }]]);
  // Until it is answered, what comes belongs to the subscription that has a hole.
  say(server, [Type.message, 1, 6, 0, 'six'], subscribed(2, { offset: 1, head: 6, recovered: true }));
  say(server, [Type.message, 1, 2, 0, 'two'], [Type.message, 1, [4, 2], 0, 'four']);
  expect([(await body.next())?.['id'], (await body.next())?.['id']]).toEqual(['e-2', 'e-4']);
});

it.each<[string, DownFrame]>([
  ['a message', [Type.message, 1, [4, 3], 0, 'four']],
  ['what was left out', [Type.skipped, 1, 4, 6]],
])('asks for what is missing before %s', async (_what, frame) => {
  const server = await serve();
  await open(server);
  say(server, [Type.message, 1, 1, 0, 'one'], frame, frame);
  await until(() => server.app.frames.length > 0);
  expect(server.app.frames).toEqual([[Type.subscribe, 2, 'room', { since: { epoch: 'e', offset: 1 } }]]);
});

it('says so where what is missing is gone', async () => {
  const server = await serve();
  const body = await open(server);
  say(server, [Type.message, 1, [4, 3], 0, 'four']);
  await until(() => server.app.frames.length > 0);
  say(server, subscribed(2, { epoch: 'f', offset: 7, head: 7, recovered: false }), [Type.message, 1, 8, 0, 'eight']);
  expect(await body.next()).toEqual({ event: '$gap', data: '{"reason":"positionLost"}' });
  expect(await body.next()).toMatchObject({ id: 'f-8', data: '"eight"' });
});

it('acknowledges what it has passed on', async () => {
  const server = await serve();
  const body = await open(server);
  for (let offset = 1; offset <= 3; offset += 1) server.app.broadcast(offset, offset);
  await body.events(3);
  await until(() => server.app.session.ledger.acked === 4);
  expect(server.app.session.ledger.bytes).toBe(0);
});

it('shows that it lives, as long as somebody reads', async () => {
  const server = await serve();
  const body = await open(server);
  for (let beat = 0; beat < 5; beat += 1) {
    server.clock.advance(10_000);
    expect(await body.next()).toEqual({ '': '' });
  }
  expect(server.gateway.registry.linkCount).toBe(1);
});

it('is cut off where nobody reads, and takes no more than fits until then', async () => {
  const server = await serve({ limits: { outboxBytes: 67_108_864 } });
  const response = await stall(server, 600);
  const { link, ledger } = server.app.session;
  expect(link?.port.congested).toBe(true);
  expect(ledger.tx - (link?.next ?? 0)).toBeGreaterThan(100);
  expect(ledger.acked).toBeLessThan(ledger.tx);
  // The first ping is answered: much has left us since it was opened.
  for (let beat = 0; beat < 7; beat += 1) {
    expect(server.app.ends).toEqual([]);
    server.clock.advance(5_000);
    await new Promise(setImmediate);
  }
  const text = await rest(response);
  expect([response.complete, text.includes('$closed')]).toEqual([false, false]);
  expect(server.app.ends).toEqual(['silent']);
  expect(server.gateway.carrierCount).toBe(0);
});

it('goes on where a slow reader reads again', async () => {
  const server = await serve({ limits: { outboxBytes: 67_108_864 } });
  const response = await stall(server, 600);
  expect(server.app.session.slow).toBe(true);
  const text = rest(response);
  await until(() => server.app.session.ledger.acked === 601);
  expect(server.app.session.slow).toBe(false);
  server.app.session.end('kicked', 'out', server.clock.now());
  expect((await text).match(/^id: e-\d+$/gm)?.slice(1)).toEqual(
    Array.from({ length: 600 }, (_, at) => `id: e-${at + 1}`),
  );
});

it('is patient with a reader who reads on, however slowly', async () => {
  const server = await serve({ limits: { outboxBytes: 67_108_864 } });
  const response = await stall(server, 600);
  const { link } = server.app.session;
  for (let beat = 0; beat < 6; beat += 1) {
    const next = link?.next ?? 0;
    while (link?.next === next) {
      response.read();
      await new Promise(setImmediate);
    }
    await stuck(server);
    expect(link?.port.congested).toBe(true);
    server.clock.advance(10_000);
    await new Promise(setImmediate);
  }
  expect([server.app.ends, link?.closed]).toEqual([[], false]);
});

it('cuts a reader off whose outbox overflows', async () => {
  const server = await serve({ limits: { outboxBytes: 1_000_000 } });
  const response = await stall(server, 600);
  await rest(response);
  expect(response.complete).toBe(false);
  expect(server.app.ends).toEqual(['slow_consumer']);
  expect(server.gateway.carrierCount).toBe(0);
});

it('ends the session as soon as its reader goes', async () => {
  const server = await serve();
  const body = await open(server);
  const ended = new Promise<void>((resolve) => {
    server.app.onEnded = resolve;
  });
  body.abort();
  await ended;
  expect(server.app.ends).toEqual(['closed']);
  expect([server.gateway.registry.size, server.gateway.registry.linkCount]).toEqual([0, 0]);
});

it('says why it ends, and keeps the kicked away', async () => {
  const server = await serve();
  const body = await open(server);
  server.app.broadcast(1, 'last words');
  server.app.session.end('kicked', 'too loud', server.clock.now());
  expect(await body.next()).toMatchObject({ data: '"last words"' });
  expect(await body.next()).toEqual({ event: '$closed', data: '{"code":"kicked","reason":"too loud"}' });
  expect([await body.next(), await body.next(), await body.ended]).toEqual([{ retry: '2147483647' }, null, true]);
  expect(server.app.ends).toEqual(['kicked']);
});

it('ends after what it was sent when its subscription is revoked', async () => {
  const server = await serve();
  const body = await open(server);
  say(
    server,
    [Type.message, 1, 1, 0, 'one'],
    [Type.revoked, 1, 'forbidden', 'not any more'],
    [Type.message, 1, 2, 0, 2],
  );
  expect(await body.next()).toMatchObject({ id: 'e-1' });
  expect(await body.next()).toEqual({ event: '$closed', data: '{"code":"forbidden","reason":"not any more"}' });
  expect([await body.next(), await body.ended]).toEqual([null, true]);
  await until(() => server.gateway.registry.size === 0);
  expect(server.app.ends).toEqual(['closed']);
});

it('tells its readers when to come back when the server closes', async () => {
  const server = await serve();
  const body = await open(server);
  const closed = server.gateway.close({ retryMs: 3_000 });
  expect(await body.next()).toMatchObject({ event: '$closed', data: expect.stringContaining('server_closing') });
  const { retry } = (await body.next()) as { retry: string };
  expect(Number(retry)).toBeGreaterThan(0);
  expect(Number(retry)).toBeLessThanOrEqual(3_000);
  await closed;
  expect(server.gateway.carrierCount).toBe(0);
});

it('works under HTTP/1.0', async () => {
  const server = await serve();
  const raw = new RawConnection(server.port);
  raw.write('GET /realtime/events?channel=room HTTP/1.0\r\n\r\n');
  await raw.until('$subscribed');
  server.app.broadcast(1, 'news');
  expect(await raw.until('data: "news"\n\n')).not.toMatch(/chunked|content-length/i);
  const closed = once(raw.socket, 'close');
  server.app.session.end('kicked', 'out', server.clock.now());
  await closed;
});

it('takes no name of an event for its own that a contract may give', async () => {
  const server = await serve();
  const body = await EventBody.open(eventsOf(server, 'channel=__proto__'));
  expect(await body.events(1)).toEqual([['$subscribed', expect.objectContaining({ channel: '__proto__' })]]);
});
