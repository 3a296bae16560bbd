import { expect, it } from 'vitest';
import {
  attachByPoll,
  lines,
  pollFrame,
  post,
  postFrame,
  RawConnection,
  requestFrame,
  requestText,
} from './clients.ts';
import { serve } from './test-server.ts';

it('counts what a POST carries and answers with its rx before anything was handled', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  const answer = await post(server.url, lines(postFrame(welcome), requestFrame(1, 'a'), requestFrame(2, 'b')));
  expect(answer.frames).toEqual([[11, { sid: welcome.sid, gen: 1, rx: 2 }]]);
  expect(server.app.requested).toEqual(['a', 'b']);
});

it('takes a repeated POST once', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  const body = lines(postFrame(welcome), requestFrame(1, 'a'), [9, 'room', 'typing', null]);
  const [first, second] = [await post(server.url, body), await post(server.url, body)];
  expect(second.frames).toEqual(first.frames);
  expect(server.app.frames.map(([type]) => type)).toEqual([18, 9]);
});

it('takes what is new of a POST that overlaps the last', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  await post(server.url, lines(postFrame(welcome), requestFrame(1, 'a')));
  const again = lines(postFrame(welcome, { n: 2 }), requestFrame(1, 'a'), requestFrame(2, 'b'));
  expect((await post(server.url, again)).frames[0]?.[1]).toMatchObject({ rx: 2 });
  expect(server.app.requested).toEqual(['a', 'b']);
});

it('asks to attach where a POST leaves a gap', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  const answer = await post(server.url, lines(postFrame(welcome, { base: 1 }), requestFrame(2, 'b')));
  expect(answer.frames).toEqual([[14, 1]]);
  expect(server.app.requested).toEqual([]);
});

it('fences a POST of an older generation', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  await attachByPoll(server, { key: welcome.key, gen: 2 });
  expect((await post(server.url, lines(postFrame(welcome), requestFrame(1, 'late')))).frames).toEqual([[8, 2]]);
  expect(server.app.requested).toEqual([]);
});

it('never puts a counted frame into the answer', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  server.app.broadcast(1, 'news');
  expect((await post(server.url, lines(postFrame(welcome)))).frames).toHaveLength(1);
  expect((await post(server.url, lines(pollFrame(welcome)))).frames[1]).toEqual([16, 1, 1, 0, 'news']);
});

it('leaves a line without its end out', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  const body = lines(postFrame(welcome), requestFrame(1, 'a')) + JSON.stringify(requestFrame(2, 'b'));
  expect((await post(server.url, body)).frames[0]?.[1]).toMatchObject({ rx: 1 });
});

it('applies nothing of a body that was cut off', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  const raw = new RawConnection(server.port);
  const whole = requestText(lines(postFrame(welcome), requestFrame(1, 'a'), requestFrame(2, 'b')));
  server.server.once('connection', (socket) => socket.once('data', () => raw.socket.end()));
  raw.write(whole.slice(0, -10));
  await raw.ended;
  expect((await post(server.url, lines(postFrame(welcome)))).frames[0]?.[1]).toMatchObject({ rx: 0 });
  expect(server.app.requested).toEqual([]);
});

it('reads a body whose characters were cut between packets', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  const bytes = Buffer.from(requestText(lines(postFrame(welcome), requestFrame(1, 'ŷ€🌊'))));
  const raw = new RawConnection(server.port);
  raw.socket.setNoDelay(true);
  for (const byte of bytes) raw.write(Uint8Array.of(byte));
  await raw.until('"rx":1');
  expect(server.app.requested).toEqual(['ŷ€🌊']);
});

it('ends the session over a line that cannot be read, and no other session', async () => {
  const server = await serve();
  const [bad, good] = [await attachByPoll(server), await attachByPoll(server, { cid: 'c2' })];
  const answer = await post(server.url, `${lines(postFrame(bad), requestFrame(1, 'a'))}nonsense\n`);
  expect(answer.status).toBe(200);
  expect(answer.frames).toEqual([[4, 'protocol_error', expect.any(String), 0, 1]]);
  expect(server.app.ends).toEqual(['protocol_error']);
  expect((await post(server.url, lines(postFrame(good), requestFrame(1, 'b')))).frames[0]?.[1]).toMatchObject({
    rx: 1,
  });
});

it('ends the session over an unknown counted frame, and ignores an unknown control frame', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  expect((await post(server.url, lines(postFrame(welcome), [15], [14, 'x']))).frames[0]?.[0]).toBe(11);
  expect((await post(server.url, lines(postFrame(welcome, { n: 2 }), [99, 'x']))).frames[0]?.slice(0, 2)).toEqual([
    4,
    'protocol_error',
  ]);
});

it('ends the session with frame_too_large over a line beyond its limit', async () => {
  const server = await serve({ limits: { lineBytes: 1_000 } });
  const welcome = await attachByPoll(server);
  const answer = await post(server.url, lines(postFrame(welcome), requestFrame(1, 'x'.repeat(1_000))));
  expect(answer.frames).toEqual([[4, 'frame_too_large', expect.any(String), 0, 1]]);
});

it('ends a session whose handler threw with internal, and lives on', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  server.app.onFrame = () => {
    throw new Error('a bug of the application');
  };
  const answer = await post(server.url, lines(postFrame(welcome), requestFrame(1, 'a')));
  expect(answer.frames).toEqual([[4, 'internal', expect.any(String), 0, 1]]);
  expect(server.errors).toEqual([new Error('a bug of the application')]);
  server.app.onFrame = () => {};
  await attachByPoll(server, { cid: 'c2' });
});

it('ends the session when the client says goodbye', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  await post(server.url, lines(postFrame(welcome), [4, 'closed', '', 0]));
  expect(server.app.ends).toEqual(['closed']);
});

it('ends the session over an impossible rx, and never calls it confirmed after that', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  const told: string[] = [];
  server.app.confirmed = () => void told.push('confirmed');
  server.app.onEnded = () => void told.push('ended');
  const answer = await post(server.url, lines(postFrame(welcome, { rx: 9 })));
  expect(answer.frames[0]?.slice(0, 2)).toEqual([4, 'protocol_error']);
  expect(told).toEqual(['confirmed', 'ended']);
});
