import { beforeEach, describe, expect, test } from 'vitest';
import type { Client, ClientChannel } from '../src/index.ts';
import type { AppContract } from './app-contract.ts';
import { World } from './world.ts';

interface Query {
  readonly since?: { readonly epoch: string; readonly offset: number };
  readonly before?: number;
  readonly limit?: number;
}

let world: World;
let client: Client<AppContract>;
let room: ClientChannel<AppContract, 'room/:roomId'>;
let epoch: string;

beforeEach(async () => {
  world = new World();
  epoch = 'e';
  world.answer = ([, id, , , query]) => [19, id, page(query as Query)];
  client = world.client();
  await world.until(() => client.diagnose().transport === 'websocket');
  room = client.channel('room/:roomId', { roomId: 'lobby' });
});

/** What a server answers whose log has messages 1 to 7, of which it keeps those from 2 on. */
function page({ since, before = 8, limit = 50 }: Query): unknown {
  const after = since?.epoch === epoch ? since.offset : 0;
  const kept = [2, 3, 4, 5, 6, 7].filter((offset) => offset > after && offset < before);
  const offsets = since === undefined ? kept.slice(-limit) : kept.slice(0, limit);
  const messages = offsets.map((offset) => ({
    offset,
    event: 'message',
    data: { text: `${offset}` },
    ...(offset === 6 ? { by: client.diagnose().client } : {}),
  }));
  return { epoch, head: 7, complete: since === undefined || after > 0, messages };
}

/** The queries that the server was given. */
const queries = () => world.frames.map((frame) => frame[4]);

/** The offsets of all pages. */
async function offsetsOf(history: ReturnType<typeof room.history>): Promise<unknown[]> {
  const pages: unknown[] = [];
  for await (const { messages } of history) pages.push(messages.map(({ meta }) => meta.offset));
  return pages;
}

describe('history()', () => {
  test('is a page of the newest messages, as handlers get them', async () => {
    const history = room.history({ limit: 2 });
    await world.run(100);
    const { messages, head, complete } = await history;
    const meta = { by: null, self: false, recovered: false };
    expect(messages).toEqual([
      {
        event: 'message',
        data: { text: '6' },
        meta: { ...meta, id: 'e-6', offset: 6, by: client.diagnose().client, self: true },
      },
      { event: 'message', data: { text: '7' }, meta: { ...meta, id: 'e-7', offset: 7 } },
    ]);
    expect({ head, complete }).toEqual({ head: { epoch: 'e', offset: 7 }, complete: true });
    expect(world.frames).toEqual([[18, expect.any(Number), 'room/lobby', '$history', { limit: 2 }, 15_000]]);
  });

  test('goes back page by page to the oldest that is kept', async () => {
    const pages = offsetsOf(room.history({ limit: 4 }));
    await world.run(1_000);
    expect(await pages).toEqual([
      [4, 5, 6, 7],
      [2, 3],
    ]);
    expect(queries()).toEqual([{ limit: 4 }, { limit: 4, before: 4 }, { limit: 4, before: 2 }]);
  });

  test('goes forward from a position, and says whether something is missing there', async () => {
    const history = room.history({ limit: 3, since: { epoch: 'e', offset: 2 } });
    const pages = offsetsOf(history);
    const lost = room.history({ since: { epoch: 'another', offset: 2 } });
    await world.run(1_000);
    expect(await pages).toEqual([
      [3, 4, 5],
      [6, 7],
    ]);
    expect((await history).complete).toBe(true);
    expect((await lost).complete).toBe(false);
  });

  test('ends where there is nothing', async () => {
    const history = room.history({ before: 1 });
    await world.run(100);
    const first = await history;
    expect(first.messages).toEqual([]);
    expect(await first.next()).toBeNull();
    expect(queries()).toHaveLength(1);
  });

  test('ends with the first message of all without asking', async () => {
    world.answer = ([, id]) => [
      19,
      id,
      { epoch, head: 1, complete: true, messages: [{ offset: 1, event: 'message', data: { text: '1' } }] },
    ];
    const history = room.history();
    await world.run(100);
    expect(await (await history).next()).toBeNull();
    expect(queries()).toHaveLength(1);
  });

  test('does not go on in another log', async () => {
    const history = room.history({ limit: 2 });
    await world.run(100);
    const first = await history;
    epoch = 'another';
    const next = first.next();
    await world.run(100);
    expect(await next).toBeNull();
  });

  test('is asked with the options of a call, on each page', async () => {
    const abort = new AbortController();
    const history = room.history({ limit: 2, timeoutMs: 1_000, signal: abort.signal });
    await world.run(100);
    const first = await history;
    expect(world.frames.at(-1)?.[5]).toBe(1_000);
    world.answer = () => null;
    const canceled = expect(first.next()).rejects.toMatchObject({ code: 'canceled' });
    await world.run(100);
    abort.abort();
    await canceled;
  });
});
