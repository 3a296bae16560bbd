import { beforeEach, describe, expect, test } from 'vitest';
import type { Client, ClientChannel, RequestError } from '../src/index.ts';
import type { AppContract } from './app-contract.ts';
import { World } from './world.ts';

let world: World;
let client: Client<AppContract>;
let room: ClientChannel<AppContract, 'room/:roomId'>;

beforeEach(async () => {
  world = new World();
  world.answer = () => null;
  client = world.client();
  await world.until(() => client.diagnose().transport === 'websocket');
  room = client.channel('room/:roomId', { roomId: 'lobby' });
});

const prompt = { prompt: 'why?' };
const up = (type: number) => world.frames.filter((frame) => frame[0] === type);
/** The id that the last request has. */
const id = () => up(18).at(-1)?.[1] as number;
const parts = (...texts: string[]) => world.reply(...texts.map((text) => [27, id(), text] as const));

/** Reads all that has come. */
async function readSome(answer: AsyncIterator<string>, count: number): Promise<string[]> {
  const read: string[] = [];
  while (read.length < count) read.push((await answer.next()).value as string);
  return read;
}

describe('iterate()', () => {
  test('asks at once, and hands out the parts and what they end with', async () => {
    const answer = room.iterate('ask', prompt);
    await world.run(100);
    expect(up(18)).toEqual([[18, id(), 'room/lobby', 'ask', prompt, 15_000, { credit: 64 }]]);
    parts('be', 'cause');
    world.reply([19, id(), { tokens: 2 }]);
    await world.run(100);
    const read: string[] = [];
    for await (const part of answer) read.push(part);
    expect(read).toEqual(['be', 'cause']);
    expect(await answer.output).toEqual({ tokens: 2 });
    await world.run(100);
    expect(up(21)).toEqual([]);
    expect(up(27)).toEqual([]);
  });

  test('hands a part to who waits for it', async () => {
    const answer = room.iterate('ask', prompt);
    await world.run(100);
    const next = answer.next();
    parts('be');
    await world.run(100);
    expect(await next).toEqual({ done: false, value: 'be' });
  });

  test('allows as many parts anew as were read, in halves of the window', async () => {
    const answer = room.iterate('ask', prompt, { ahead: 4 });
    await world.run(100);
    expect(up(18)[0]?.[6]).toEqual({ credit: 4 });
    parts('1', '2', '3', '4');
    await world.run(100);
    expect(await readSome(answer, 1)).toEqual(['1']);
    await world.run(100);
    expect(up(27)).toEqual([]);
    expect(await readSome(answer, 1)).toEqual(['2']);
    await world.run(100);
    expect(up(27)).toEqual([[27, id(), 2]]);
    expect(await readSome(answer, 2)).toEqual(['3', '4']);
    await world.run(100);
    expect(up(27)).toHaveLength(2);
  });

  test('allows one at a time where only one may be ahead', async () => {
    const answer = room.iterate('ask', prompt, { ahead: 1 });
    await world.run(100);
    parts('1');
    await world.run(100);
    await answer.next();
    await world.run(100);
    expect(up(27)).toEqual([[27, id(), 1]]);
  });

  test('fails where the server sends more than it may, and is given up', async () => {
    const answer = room.iterate('ask', prompt, { ahead: 2 });
    await world.run(100);
    parts('1', '2', '3');
    await world.run(100);
    expect(up(21)).toEqual([[21, id()]]);
    expect(await readSome(answer, 2)).toEqual(['1', '2']);
    await expect(answer.next()).rejects.toMatchObject({ code: 'protocol_error' });
  });

  test('that is left tells the server, and its output rejects where nobody has to hear it', async () => {
    const answer = room.iterate('ask', prompt);
    await world.run(100);
    parts('1', '2');
    await world.run(100);
    for await (const part of answer) {
      expect(part).toBe('1');
      break;
    }
    await world.run(100);
    expect(up(21)).toEqual([[21, id()]]);
    await expect(answer.output).rejects.toMatchObject({ code: 'canceled' });
    expect(await answer.next()).toEqual({ done: true, value: undefined });
  });

  test('that is left after its end tells nobody', async () => {
    const answer = room.iterate('ask', prompt);
    await world.run(100);
    world.reply([19, id(), { tokens: 0 }]);
    await world.run(100);
    await answer.return();
    await world.run(100);
    expect(up(21)).toEqual([]);
    expect(await answer.output).toEqual({ tokens: 0 });
  });

  test('is given up by its signal: nothing that has come is read any more, and it fails', async () => {
    const abort = new AbortController();
    const answer = room.iterate('ask', prompt, { signal: abort.signal });
    await world.run(100);
    parts('1', '2');
    await world.run(100);
    await answer.next();
    abort.abort();
    await expect(answer.next()).rejects.toMatchObject({ code: 'canceled' });
    await world.run(100);
    expect(up(21)).toEqual([[21, id()]]);
  });

  test('fails with what the contract declares, after the parts that came before', async () => {
    const answer = room.iterate('ask', prompt);
    await world.run(100);
    parts('be');
    world.reply([20, id(), 'app:refused', 'not now', false, { why: 'tired' }]);
    await world.run(100);
    expect(await readSome(answer, 1)).toEqual(['be']);
    const error = await answer.next().then(
      () => null,
      (thrown: RequestError<AppContract, 'room/:roomId', 'ask'>) => thrown,
    );
    expect(error?.code === 'refused' ? error.data.why : error).toBe('tired');
    await expect(answer.output).rejects.toBe(error);
  });

  test('fails at its first read where it cannot be asked', async () => {
    const tooLarge = room.iterate('ask', { prompt: 'x'.repeat(1_048_577) });
    await expect(tooLarge.next()).rejects.toMatchObject({ code: 'payload_too_large' });
    const never = room.iterate('ask', prompt, { timeoutMs: 0 });
    await expect(never.next()).rejects.toThrow(RangeError);
    const canceled = room.iterate('ask', prompt, { signal: AbortSignal.abort() });
    await expect(canceled.next()).rejects.toMatchObject({ code: 'canceled' });
    for (const ahead of [0, 1.5, 1_025, Number.NaN]) {
      expect(() => room.iterate('ask', prompt, { ahead })).toThrow(RangeError);
    }
    await world.run(100);
    expect(up(18)).toEqual([]);
  });

  test('waits for the next part no longer than it may, but as long as the application likes', async () => {
    const answer = room.iterate('ask', prompt, { ahead: 2, timeoutMs: 1_000 });
    await world.run(900);
    parts('1');
    await world.run(900);
    parts('2');
    await world.run(60_000);
    expect(await readSome(answer, 2)).toEqual(['1', '2']);
    const late = expect(answer.next()).rejects.toMatchObject({ code: 'timeout' });
    await world.run(1_100);
    await late;
    expect(up(21)).toEqual([[21, id()]]);
  });

  test('is over when the client is closed', async () => {
    const answer = room.iterate('ask', prompt);
    await world.run(100);
    client.close();
    await expect(answer.next()).rejects.toMatchObject({ code: 'indeterminate' });
  });
});
