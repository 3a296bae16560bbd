import { expect, it } from 'vitest';
import {
  type Answer,
  attachByPoll,
  attachFrame,
  lines,
  post,
  postFrame,
  RawConnection,
  requestFrame,
  requestText,
} from './clients.ts';
import { serve } from './test-server.ts';

const told = ({ status, frames }: Answer) => [status, ...(frames[0]?.slice(0, 2) ?? [])];
const attachText = requestText(lines(attachFrame()));

it.each([
  ['an empty body', ''],
  ['no complete line', '[6,"nonce"]'],
  ['what is no JSON', 'hello\n'],
  ['what is no frame', '{}\n'],
  ['a frame that is no header', '[1,5]\n'],
  ['a counted frame', lines(requestFrame(1, ''))],
  ['an unknown control frame', '[15]\n'],
  ['an unknown counted frame', '[99]\n'],
  ['an attach without its fields', '[0,{"v":1}]\n'],
  ['a byte order mark', `\ufeff${lines(attachFrame())}`],
])('answers 400 to %s', async (_what, body) => {
  const server = await serve();
  expect(told(await post(server.url, body))).toEqual([400, 4, 'protocol_error']);
});

it.each([
  ['an overlong form', [0x5b, 0xc0, 0xaf, 0x5d, 0x0a]],
  ['a lone surrogate', [0x5b, 0xed, 0xa0, 0x80, 0x5d, 0x0a]],
  ['half a character at the end', [...Buffer.from(lines(attachFrame())), 0xe2, 0x82]],
])('answers 400 to broken UTF-8: %s', async (_what, bytes) => {
  const server = await serve();
  expect(told(await post(server.url, Uint8Array.from(bytes)))).toEqual([400, 4, 'protocol_error']);
});

it('answers 413 to a header line beyond its limit', async () => {
  const server = await serve();
  expect(told(await post(server.url, lines(attachFrame({ auth: 'x'.repeat(66_000) }))))).toEqual([
    413,
    4,
    'frame_too_large',
  ]);
});

it.each(['PUT', 'DELETE', 'PATCH', 'PROPFIND'])('answers 405 to %s', async (method) => {
  const server = await serve();
  const answer = await post(server.url, lines(attachFrame()), { method });
  expect(told(answer)).toEqual([405, 4, 'protocol_error']);
  expect(answer.headers.get('allow')).toBe('POST, OPTIONS');
});

it('answers 426 at once to a handshake whose upgrade was stripped', async () => {
  const server = await serve();
  const raw = new RawConnection(server.port);
  raw.write(
    'GET /realtime HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  const answer = await raw.until('transport_unavailable');
  expect(answer).toMatch(/^HTTP\/1.1 426 [\s\S]*\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/);
});

it.each([
  ['GET', 'GET /realtime HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['HEAD', 'HEAD /realtime HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['a wrong method with a body', requestText('x'.repeat(5_000), { method: 'PUT' })],
  ['a foreign origin', requestText(lines(attachFrame()), { headers: 'Origin: https://evil.example\r\n' })],
  ['a preflight', requestText('', { method: 'OPTIONS', headers: 'Origin: https://evil.example\r\n' })],
  ['an unreadable body', requestText('nonsense\n')],
  ['a body beyond its limit', requestText('x'.repeat(3_000))],
  [
    'a body beyond its limit, in chunks',
    `POST /realtime HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nbb8\r\n${'x'.repeat(3_000)}\r\n0\r\n\r\n`,
  ],
  ['an unknown key', requestText(lines([10, { key: 'k', node: 'n', gen: 1, n: 1, rx: 0, hold: 0 }]))],
])('keeps the connection after %s', async (_what, refused) => {
  const server = await serve({ limits: { requestBodyBytes: 2_000 } });
  const raw = new RawConnection(server.port);
  raw.write(refused + attachText);
  await raw.until('"resumed":false');
  expect(raw.received.match(/HTTP\/1\.1 \d+/g)).toHaveLength(2);
});

it.each([
  ['one that says so', `POST /realtime HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n`],
  [
    'one that does not',
    `POST /realtime HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4e20\r\n${'x'.repeat(20_000)}`,
  ],
  ['one that nobody wanted', `PUT /realtime HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n`],
])('answers and gives the connection up where a body is far too large: %s', async (_what, request) => {
  const server = await serve({ limits: { requestBodyBytes: 2_000 } });
  const raw = new RawConnection(server.port);
  raw.write(request);
  await raw.until('\r\nConnection: close\r\n');
  await raw.ended;
  expect(raw.received).toMatch(/^HTTP\/1.1 4(13|05) /);
});

it('answers a page of a listed origin with CORS headers, and no other', async () => {
  const server = await serve({ origins: ['https://app.example'] });
  const ask = (origin: string, init = {}) => post(server.url, lines(attachFrame()), { headers: { origin }, ...init });
  const listed = await ask('https://app.example');
  expect(listed.frames[0]?.[0]).toBe(0);
  expect(Object.fromEntries(listed.headers)).toMatchObject({
    'access-control-allow-origin': 'https://app.example',
    'access-control-allow-credentials': 'true',
    vary: 'Origin',
  });
  const refused = await ask('https://evil.example');
  expect(told(refused)).toEqual([403, 4, 'forbidden_origin']);
  expect(refused.headers.get('access-control-allow-origin')).toBeNull();
  const own = await ask(new URL(server.url).origin);
  expect([own.frames[0]?.[0], own.headers.get('access-control-allow-origin')]).toEqual([0, null]);
});

it('answers the preflight of a page of a listed origin', async () => {
  const server = await serve({ origins: (origin) => origin.endsWith('.example') });
  const headers = { 'access-control-request-headers': 'x-trace', 'access-control-request-method': 'POST' };
  const ask = (origin: string) => fetch(server.url, { method: 'OPTIONS', headers: { ...headers, origin } });
  const allowed = await ask('https://app.example');
  expect(allowed.status).toBe(204);
  expect(Object.fromEntries(allowed.headers)).toMatchObject({
    'access-control-allow-origin': 'https://app.example',
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': 'x-trace',
  });
  expect((await ask('https://evil.test')).status).toBe(403);
});

it('takes any content type', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await post(server.url, lines(postFrame(welcome), requestFrame(1, 'a')), { headers });
  expect(answer.frames[0]?.[1]).toMatchObject({ rx: 1 });
});
