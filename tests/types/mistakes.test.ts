import { beforeAll, describe, expect, it } from 'vitest';
import { type Compilation, compile, compilers } from './compiler.ts';
import { type Mistake, mistakes } from './mistakes.ts';

const imports = `import { ask, client, contract, edit, ledger, Message, message, realtime, room, ticker } from 'app';
import { channel, defineContract, latestBy, mergeContracts, relay, volatile } from '@runnel/protocol';
import { createServer } from '@runnel/server';
`;
const right = `
realtime.handle('room/:roomId', { open: true, publish: { message }, requests: { edit, ask } });
realtime.handle('ticker', { open: true, snapshot: () => [] });
void client.channel('room/:roomId', { roomId: 'lobby' }).publish('message', { text: 'hi' });
mergeContracts(contract, defineContract({ lobby: channel({ events: { said: Message } }) }));
`;

const fileOf = ({ made }: Mistake): string => `${made.replaceAll(/\W+/g, '-')}.ts`;

describe.each(compilers)('$name', (compiler) => {
  let compiled: Compilation;

  beforeAll(async () => {
    const wrong = mistakes.map((mistake) => [fileOf(mistake), imports + mistake.code]);
    compiled = await compile(compiler, { 'right.ts': imports + right, ...Object.fromEntries(wrong) });
  });

  it('complains of mistakes only', () => {
    expect([...compiled.errors.keys()].sort()).toEqual(mistakes.map(fileOf).sort());
  });

  it.each(mistakes)('says once, and in few words, what is wrong with $made', (mistake) => {
    const [message = '', ...others] = compiled.errors.get(fileOf(mistake)) ?? [];
    expect(others).toEqual([]);
    for (const words of mistake.told) expect(message).toContain(words);
    expect(message.split('\n').length).toBeLessThanOrEqual(6);
    expect(message.length).toBeLessThanOrEqual(1_200);
  });
});
