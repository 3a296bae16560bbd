import { randomBytes } from 'node:crypto';
import { isCode } from '@runnel/protocol';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import {
  attachByPoll,
  attachFrame,
  Body,
  lines,
  pollFrame,
  postFrame,
  RawConnection,
  requestFrame,
  TestSocket,
} from './clients.ts';
import { serve, type TestServer } from './test-server.ts';

const STATUSES = [200, 400, 413];
const HEADERS = new Set([0, 4, 7, 8, 10, 11, 12, 14, 15]);
/** 1002, 1007 and 1009 are what `ws` says of frames that break RFC 6455. */
const documented = (close: number) =>
  (close >= 4400 && close < 4600) || close === 4000 || [1002, 1005, 1006, 1007, 1009].includes(close);
const runs = { numRuns: 150 };

/** A session that goes on whatever the others do. */
async function witness(server: TestServer): Promise<() => Promise<void>> {
  const socket = await TestSocket.open(server);
  await socket.attach({ cid: 'witness', auth: 'witness' });
  let id = 0;
  return async () => {
    id += 1;
    socket.send(requestFrame(id, id));
    expect(await socket.next()).toEqual([19, id, id]);
  };
}

/** Everything that may stand in a line, and most of what may not. */
const element = fc.oneof(
  fc.nat(),
  fc.constantFrom(
    0,
    1,
    -1,
    1.5,
    2 ** 53,
    Number.MAX_SAFE_INTEGER,
    '',
    'room',
    '__proto__',
    'constructor',
    null,
    true,
    [],
    {},
  ),
  fc.string({ unit: 'binary' }),
  fc.jsonValue({ maxDepth: 3 }),
);
const anyFrame = fc
  .tuple(fc.nat(34), fc.array(element, { maxLength: 6 }))
  .map(([type, rest]) => JSON.stringify([type, ...rest]));

/** Bytes that were whole before somebody had them. */
const mutated = (whole: fc.Arbitrary<string>) =>
  fc
    .tuple(
      whole,
      fc.array(fc.tuple(fc.nat(), fc.constantFrom('flip', 'drop', 'repeat', 'cut', 'insert'), fc.nat(255)), {
        maxLength: 4,
      }),
    )
    .map(([text, changes]) => {
      let bytes = Buffer.from(text);
      for (const [where, change, byte] of changes) {
        const at = where % (bytes.length + 1);
        const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
        if (change === 'flip') bytes = Buffer.concat([before, Buffer.of(byte), after.subarray(1)]);
        if (change === 'drop') bytes = Buffer.concat([before, after.subarray(byte)]);
        if (change === 'repeat') bytes = Buffer.concat([before, after.subarray(0, byte), after]);
        if (change === 'insert') bytes = Buffer.concat([before, Buffer.of(byte), after]);
        if (change === 'cut') bytes = before;
      }
      return bytes;
    });

async function expectDocumentedAnswer(server: TestServer, bytes: Uint8Array): Promise<void> {
  const body = await Body.open(server.url, new Uint8Array(bytes));
  expect(STATUSES).toContain(body.status);
  const header = await body.next();
  expect(HEADERS).toContain(header?.[0]);
  if (header?.[0] === 4) expect(isCode(header[1])).toBe(true);
  body.abort();
}

it('answers any bytes as documented and disturbs nobody', async () => {
  const server = await serve({ limits: { holdMs: 0 } });
  const lives = await witness(server);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async (bytes) => {
      await expectDocumentedAnswer(server, bytes);
      await lives();
    }),
    runs,
  );
  expect(server.errors).toEqual([]);
});

it('answers a body that was changed on its way as documented', async () => {
  const server = await serve({ limits: { holdMs: 0 } });
  const lives = await witness(server);
  let cid = 0;
  const victim = await attachByPoll(server);
  const whole = fc.tuple(fc.nat(6), fc.array(anyFrame, { maxLength: 4 })).map(([kind, rest]) => {
    cid += 1;
    const header = [
      attachFrame({ cid: `c${cid}`, subs: [[1, 'room', { rewind: 3 }]], auth: { token: 'ŷ' } as never }),
      attachFrame({ cid: `c${cid}`, mode: 'stream' }),
      attachFrame({ gen: 2, key: victim.key }),
      pollFrame(victim),
      postFrame(victim, { n: cid }),
      [6, 'nonce'],
      [12, 'token'],
    ][kind];
    return lines(header) + rest.map((line) => `${line}\n`).join('');
  });
  await fc.assert(
    fc.asyncProperty(mutated(whole), async (bytes) => {
      await expectDocumentedAnswer(server, bytes);
      await lives();
    }),
    runs,
  );
});

it('takes any frames in a POST, or ends that session and no other', async () => {
  const server = await serve({ limits: { holdMs: 0 } });
  const lives = await witness(server);
  let cid = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(anyFrame, { maxLength: 8 }), async (rest) => {
      cid += 1;
      const welcome = await attachByPoll(server, { cid: `c${cid}` });
      const body = lines(postFrame(welcome)) + rest.map((line) => `${line}\n`).join('');
      await expectDocumentedAnswer(server, Buffer.from(body));
      await lives();
    }),
    runs,
  );
});

it('takes any WebSocket messages, or ends that socket as documented', async () => {
  const server = await serve();
  const lives = await witness(server);
  const attach = JSON.stringify(attachFrame({ mode: 'websocket', cid: 'hostile' }));
  const message = fc.oneof(
    fc.array(fc.oneof(anyFrame, fc.constant(attach)), { maxLength: 5 }).map((all) => all.join('\n')),
    mutated(fc.oneof(anyFrame, fc.constant(attach))).map((bytes) => ({ bytes, binary: false })),
    fc.uint8Array({ maxLength: 50 }).map((bytes) => ({ bytes, binary: true })),
  );
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(message, { maxLength: 6 }), async (attached, messages) => {
      const socket = await TestSocket.open(server);
      if (attached) socket.ws.send(attach);
      for (const sent of messages) {
        if (typeof sent === 'string') socket.ws.send(sent);
        else socket.ws.send(sent.bytes, { binary: sent.binary });
      }
      const nonce = randomBytes(8).toString('hex');
      socket.send([6, nonce]);
      // Either it is still heard, or the socket was ended.
      let frame = await socket.next();
      while (frame !== null && !(frame[0] === 7 && frame[1] === nonce)) frame = await socket.next();
      if (frame === null) expect(documented((await socket.closed).code)).toBe(true);
      else socket.ws.terminate();
      await lives();
    }),
    runs,
  );
  expect(server.errors).toEqual([]);
});

it('reads any bytes after a handshake, or ends that socket', async () => {
  const server = await serve();
  const lives = await witness(server);
  const handshake =
    'GET /realtime HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
      const raw = new RawConnection(server.port);
      raw.write(Buffer.concat([Buffer.from(handshake), bytes]));
      await raw.until('101');
      raw.socket.end();
      await raw.ended;
      await lives();
    }),
    runs,
  );
  expect(server.errors).toEqual([]);
});

it('takes any bytes in place of a request', async () => {
  const server = await serve();
  const lives = await witness(server);
  const request = fc.tuple(
    fc.constantFrom('POST', 'GET', 'OPTIONS', 'FOO'),
    fc.string({ maxLength: 60 }),
    fc.string({ maxLength: 60 }),
  );
  const start = request.map(
    ([method, header, body]) => `${method} /realtime HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n${body}`,
  );
  await fc.assert(
    fc.asyncProperty(mutated(start), async (bytes) => {
      const raw = new RawConnection(server.port);
      raw.socket.end(bytes);
      raw.socket.setTimeout(0);
      await raw.ended;
      await lives();
    }),
    runs,
  );
  expect(server.errors).toEqual([]);
});

it('does not take names of objects for its own', async () => {
  const server = await serve();
  for (const cid of ['__proto__', 'constructor', 'toString', 'error']) {
    expect(await attachByPoll(server, { cid })).toMatchObject({ resumed: false });
  }
  const ws = new WebSocket(server.url.replace('http', 'ws'));
  ws.on('open', () => ws.send('[18,1,"__proto__","error",{"__proto__":{"polluted":true}}]'));
  ws.on('open', () => ws.close());
  await new Promise((resolve) => ws.on('close', resolve));
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});
