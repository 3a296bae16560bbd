import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type DownFrame, encodeFrame, readDown, Type, type UpFrame } from '@runnel/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { createServer } from '../src/server.ts';
import { contract } from './app-contract.ts';

let http: Server;
afterEach(() => new Promise((resolve) => http.close(resolve)));

async function setUp() {
  const errors: unknown[] = [];
  const realtime = createServer({
    contract,
    onError: (error) => errors.push(error),
    authenticate: ({ auth }) => (typeof auth === 'string' ? { id: auth } : null),
  });
  realtime.handle('room/:roomId', {
    authorize: ({ user }) => user.id !== 'eve',
    publish: { message: ({ data, channel }) => channel.broadcast('message', data), nudge: () => {} },
    requests: { edit: ({ data }) => ({ text: data.id }), count: () => 1, leave: () => {}, late: ({ data }) => data },
  });
  http = createHttpServer();
  realtime.attach(http);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/realtime`;
  const post = async (frames: readonly UpFrame[]): Promise<DownFrame[]> => {
    const body = frames.map((frame) => `${encodeFrame(frame)}\n`).join('');
    const answer = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'text/plain;charset=UTF-8' } });
    const lines = (await answer.text()).split('\n').filter((line) => line !== '');
    return lines.map(readDown).filter((frame) => frame !== null);
  };
  const attach = (auth: string) =>
    post([
      [
        0,
        {
          v: 1,
          cid: `cid-${auth}`,
          gen: 1,
          rx: 0,
          mode: 'poll',
          hold: 0,
          auth,
          subs: [[1, 'room/lobby', { rewind: 5 }]],
        },
      ],
    ]);
  return { realtime, attach, errors };
}

describe('createServer', () => {
  it('serves welcome, subscription and first messages in one exchange', async () => {
    const { realtime, attach } = await setUp();
    const room = realtime.channel('room/:roomId', { roomId: 'lobby' });
    await room.broadcast('message', { text: 'hello' });
    const frames = await attach('ann');
    expect(frames.map(([type]) => type)).toEqual([0, Type.subscribed, Type.message, Type.end]);
    expect(realtime.stats()).toMatchObject({
      sessions: 1,
      links: 0,
      channels: 1,
      subscriptions: 1,
      transports: { poll: 1 },
    });
    expect(await room.occupancy()).toEqual({ subscribers: 1, members: 0 });
    await realtime.close({ timeoutMs: 100 });
  });

  it('asks authenticate and authorize', async () => {
    const { realtime, attach } = await setUp();
    const [, refused] = await attach('eve');
    expect(refused?.slice(0, 3)).toEqual([Type.error, 1, 'forbidden']);
    expect(await realtime.user('eve').sessions()).toMatchObject([{ user: { id: 'eve' }, transport: 'poll' }]);
    expect(await realtime.user('eve').kick('out')).toBe(1);
    expect(await realtime.user('eve').sessions()).toEqual([]);
    expect(realtime.stats().sessions).toBe(0);
    await realtime.close({ timeoutMs: 100 });
  });

  it('turns clients away when it has closed, and closes once', async () => {
    const { realtime, attach, errors } = await setUp();
    await attach('ann');
    expect(realtime.close({ timeoutMs: 100 })).toBe(realtime.close());
    await realtime.close();
    expect(realtime.stats().sessions).toBe(0);
    await expect(realtime.channel('ticker').broadcast('quote', 1)).rejects.toMatchObject({ code: 'broker_failed' });
    expect(errors).toHaveLength(1);
    expect((await attach('bob')).map(([type, code]) => [type, code])).toEqual([[Type.goaway, 'server_closing']]);
  });

  it('throws at once where a pattern is left unguarded', async () => {
    const { realtime } = await setUp();
    // @ts-expect-error TS2345: neither authorize nor open
    expect(() => realtime.handle('ticker', {})).toThrow('open: true');
  });
});
