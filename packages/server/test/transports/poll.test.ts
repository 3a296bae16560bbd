import { expect, it } from 'vitest';
import { attachByPoll, attachFrame, lines, pollFrame, post, postFrame, requestFrame } from './clients.ts';
import { serve } from './test-server.ts';

it('holds a poll until there is something to say', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  const poll = post(server.url, lines(pollFrame(welcome, { hold: 20_000 })));
  await server.taken(1);
  server.app.broadcast(1, 'news');
  expect((await poll).frames).toEqual([
    [10, { sid: welcome.sid, gen: 1, n: 1, base: 0, rx: 0 }],
    [16, 1, 1, 0, 'news'],
    [13],
  ]);
});

it('answers an idle poll when its time is up', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  const poll = post(server.url, lines(pollFrame(welcome, { hold: 5_000 })));
  await server.taken(1);
  server.clock.advance(5_000);
  expect((await poll).frames).toEqual([[10, expect.objectContaining({ n: 1 })], [13]]);
});

it('never holds longer than its own limit', async () => {
  const server = await serve({ limits: { holdMs: 100 } });
  const welcome = await attachByPoll(server);
  const poll = post(server.url, lines(pollFrame(welcome, { hold: 2 ** 50 })));
  await server.taken(1);
  server.clock.advance(100);
  expect((await poll).frames.at(-1)).toEqual([13]);
});

it('answers the same poll twice alike', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  const body = lines(pollFrame(welcome, { hold: 20_000 }));
  const both = [post(server.url, body), post(server.url, body)];
  await server.taken(2);
  server.app.broadcast(1, 'news');
  const [first, second] = await Promise.all(both);
  expect(first?.frames).toHaveLength(3);
  expect(second?.frames).toEqual(first?.frames);
});

it('ends an older poll empty when a newer one comes', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  const older = post(server.url, lines(pollFrame(welcome, { n: 1, hold: 20_000 })));
  await server.taken(1);
  const newer = post(server.url, lines(pollFrame(welcome, { n: 2, hold: 20_000 })));
  expect((await older).frames).toEqual([[10, expect.objectContaining({ n: 1 })], [13]]);
  server.app.broadcast(1, 'news');
  expect((await newer).frames).toHaveLength(3);
});

it('answers a late poll empty at once', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  await post(server.url, lines(pollFrame(welcome, { n: 2 })));
  server.app.broadcast(1, 'news');
  const late = await post(server.url, lines(pollFrame(welcome, { n: 1, hold: 20_000 })));
  expect(late.frames).toEqual([[10, expect.objectContaining({ n: 1 })], [13]]);
});

it('sends again what the lost answer of an aborted poll had', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  const abort = new AbortController();
  const aborted = post(server.url, lines(pollFrame(welcome, { n: 1, hold: 20_000 })), { signal: abort.signal });
  await server.taken(1);
  abort.abort();
  await Promise.all([server.left(), expect(aborted).rejects.toThrow()]);
  server.app.broadcast(1, 'news');
  const next = await post(server.url, lines(pollFrame(welcome, { n: 2 })));
  expect(next.frames[1]).toEqual([16, 1, 1, 0, 'news']);
  // Suppose that answer was lost too.
  const again = await post(server.url, lines(pollFrame(welcome, { n: 3 })));
  expect(again.frames).toEqual([[10, expect.objectContaining({ n: 3, base: 0 })], next.frames[1], [13]]);
});

it('takes the rx of a poll as an acknowledgement', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  server.app.broadcast(1, 'one');
  server.app.broadcast(2, 'two');
  await post(server.url, lines(pollFrame(welcome, { n: 1, rx: 1 })));
  expect(server.app.session.ledger.acked).toBe(1);
  // Below what it has acknowledged a poll is a stray of the past.
  const stray = await post(server.url, lines(pollFrame(welcome, { n: 2, rx: 0 })));
  expect(stray.frames).toEqual([[10, expect.objectContaining({ n: 2, base: 1 })], [13]]);
});

it('ends the session over an impossible rx', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  const { frames } = await post(server.url, lines(pollFrame(welcome, { rx: 7 })));
  expect(frames[0]?.slice(0, 2)).toEqual([4, 'protocol_error']);
  expect(server.app.ends).toEqual(['protocol_error']);
});

it('ends a held poll at once when another attach takes over, and fences the next', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  const poll = post(server.url, lines(pollFrame(welcome, { hold: 20_000 })));
  await server.taken(1);
  await attachByPoll(server, { key: welcome.key, gen: 2 });
  expect((await poll).frames.at(-1)).toEqual([13]);
  expect((await post(server.url, lines(pollFrame(welcome, { n: 2 })))).frames).toEqual([[8, 2]]);
});

it('holds an attach by poll like a poll', async () => {
  const server = await serve();
  const attach = post(server.url, lines(attachFrame({ hold: 20_000 })));
  await server.taken(1);
  server.app.broadcast(1, 'news');
  expect((await attach).frames.map(([type]) => type)).toEqual([0, 16, 13]);
});

it('puts all that one turn brings into one answer', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  const poll = post(server.url, lines(pollFrame(welcome, { hold: 20_000 })));
  await server.taken(1);
  await post(server.url, lines(postFrame(welcome), requestFrame(1, 'a'), requestFrame(2, 'b'), requestFrame(3, 'c')));
  expect((await poll).frames.slice(1, -1)).toEqual([
    [19, 1, 'a'],
    [19, 2, 'b'],
    [19, 3, 'c'],
  ]);
});

it('counts the time to live only while no request is held', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  const poll = post(server.url, lines(pollFrame(welcome, { hold: 20_000 })));
  await server.taken(1);
  server.clock.advance(19_999);
  expect(server.gateway.registry.size).toBe(1);
  server.clock.advance(1);
  await poll;
  server.clock.advance(119_999);
  expect(server.gateway.registry.size).toBe(1);
  server.clock.advance(1);
  expect(server.gateway.registry.size).toBe(0);
  expect(server.app.ends).toEqual(['session_lost']);
});
