import { createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { listen } from '../../src/contenders/contender.ts';
import { Crowd } from '../../src/load/crowd.ts';
import type { LoadReport } from '../../src/messages.ts';
import { FIRST_NUMBER, payloadText } from '../../src/payload.ts';

const BYTES = 64;
const right = (n: number): string => payloadText(FIRST_NUMBER + n, BYTES);

/** What a crowd of one reports when these messages come in a window of two. */
async function reportsOf(messages: readonly string[]): Promise<LoadReport[]> {
  const sockets: Socket[] = [];
  const frame = (text: string): Buffer => Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]);
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.write(frame('hello'));
  });
  const port = await listen(server);
  const reports: LoadReport[] = [];
  let wake = (): void => {};
  const layout = { connections: 1, perSession: 1, groupSize: 1 };
  const where = { contender: 'net', carrier: 'websocket', ports: [port], astray: false } as const;
  const shape = { ...where, layout, deflate: false, isLobby: true } as const;
  const crowd = new Crowd(shape, (report) => {
    reports.push(report);
    wake();
  });
  onTestFinished(() => {
    crowd.disconnect();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await crowd.connect(1);
  crowd.open({ type: 'open', burst: 2, timed: false, from: FIRST_NUMBER, payloadBytes: BYTES, channels: 1 });
  const woken = new Promise<void>((resolve) => {
    wake = resolve;
  });
  for (const message of messages) sockets[0]?.write(frame(message));
  await woken;
  return reports;
}

it('reports when all has come that was sent', async () => {
  expect(await reportsOf([right(0), right(1)])).toEqual([{ type: 'reached' }]);
});

it.each([
  [
    'changed',
    [
      right(0)
        .replace('"text":"', '"text":"!')
        .replace(/.(?="})/, ''),
    ],
    'message 10000000 is',
  ],
  ['lost', [right(0), right(2)], 'got message 10000002 where 10000001 was due'],
  ['sent twice', [right(0), right(0)], 'got message 10000000 where 10000001 was due'],
  ['no message at all', ['x'.repeat(BYTES)], 'client 0 got xxx'],
])('fails where a message was %s', async (_what, messages, failure) => {
  const [first] = await reportsOf(messages);
  expect(first).toEqual({ type: 'failed', message: expect.stringContaining(failure) });
});
