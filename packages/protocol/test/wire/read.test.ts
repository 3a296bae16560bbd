/// <reference types="node" />
import { describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { PAYLOAD_LEVELS_MAX } from '../../src/wire/binary.ts';
import { readDown } from '../../src/wire/read-down.ts';
import { readUp as readUpWithin } from '../../src/wire/read-up.ts';
import { encodeFrame } from '../../src/wire/write.ts';
import { DOWN_FRAMES, UP_FRAMES } from './samples.ts';

const readUp = (line: string) => readUpWithin(line, DEFAULT_LIMITS);
const violation = expect.objectContaining({ name: 'RunnelError', code: 'protocol_error' });
const attach = (fields: object): string =>
  encodeFrame([0, { v: 1, cid: 'c1', gen: 1, rx: 0, mode: 'poll', ...fields }] as never);

describe.each([
  ['readUp', readUp, UP_FRAMES],
  ['readDown', readDown, DOWN_FRAMES],
] as const)('%s', (_, read, frames) => {
  test.each(frames.map((frame) => encodeFrame(frame)))('reads what was written: %s', (line) => {
    expect(read(line)).toEqual(frames.find((frame) => encodeFrame(frame) === line));
  });

  test('refuses counted frames that are unknown or of the other direction', () => {
    const mine = frames.map(([type]) => type as number);
    const others = [...UP_FRAMES, ...DOWN_FRAMES].filter(([type]) => type >= 16 && !mine.includes(type));
    const lines = [...others.map((frame) => encodeFrame(frame)), '[31]', `[${2 ** 53 - 1}]`];
    for (const line of lines) expect(() => read(line)).toThrow(violation);
  });

  test('ignores control frames that it does not know', () => {
    const mine = frames.map(([type]) => type as number);
    const others = [...UP_FRAMES, ...DOWN_FRAMES].filter(([type]) => type < 16 && !mine.includes(type));
    expect(others.length).toBeGreaterThan(0);
    for (const frame of others) expect(read(encodeFrame(frame))).toBeNull();
  });

  test.each([
    '',
    ' ',
    'x',
    '[',
    '[1,',
    '[]',
    '{}',
    'null',
    '0',
    '"1"',
    '[null]',
    '["1"]',
    '[-1]',
    '[1.5]',
    '[16.5]',
    '[1e400]',
    '[[1]]',
    '[9007199254740992]',
    '{"0":1}',
    '{"$b":""}',
    '[{"$b":"AQ=="}]',
    '<html>503</html>',
    '\ufeff[13]',
  ])('refuses %j', (line) => {
    expect(() => read(line)).toThrow(violation);
  });

  test('ignores elements and fields that it does not know', () => {
    for (const frame of frames) {
      const longest = frames.filter(([type]) => type === frame[0]).every(({ length }) => length <= frame.length);
      // Behind result the data may still stand, which takes any value.
      if (longest) expect(read(encodeFrame([...frame, 'more'] as never))).toEqual([...frame, 'more']);
      const body = frame[1];
      if (typeof body !== 'object') continue;
      const more = [frame[0], { ...body, more: [1] }];
      expect(read(encodeFrame(more as never))).toEqual(more);
    }
  });

  test('needs every element that is not optional', () => {
    for (const frame of frames) {
      if (frame.length === 1) continue;
      expect(() => read(`[${frame[0]}]`)).toThrow(violation);
      expect(() => read(`[${frame[0]},{"a":[]}]`)).toThrow(violation);
    }
  });
});

describe('readUp, which hears anyone', () => {
  test.each([
    { v: '1' },
    { cid: undefined },
    { cid: '' },
    { cid: 7 },
    { cid: 'x'.repeat(65) },
    { cid: 'a\nb' },
    { cid: 'a\u0085' },
    { key: null },
    { key: '' },
    { key: 'x'.repeat(257) },
    { key: 'a\u0000' },
    { node: 'x'.repeat(65) },
    { gen: -1 },
    { gen: 1.5 },
    { gen: 2 ** 53 },
    { gen: '1' },
    { rx: null },
    { mode: 'carrier-pigeon' },
    { mode: ['poll'] },
    { hold: -1 },
    { subs: {} },
    { subs: [null] },
    { subs: [[0, 'room', {}]] },
    { subs: [[1, 7, {}]] },
    { subs: [[1, 'room']] },
    { subs: [[1, 'room', []]] },
    { subs: [[1, 'room', { since: null }]] },
    { subs: [[1, 'room', { since: { offset: 1 } }]] },
    { subs: [[1, 'room', { since: { epoch: 'x'.repeat(65), offset: 1 } }]] },
    { subs: [[1, 'room', { rewind: -1 }]] },
  ])('refuses an attach with %j', (fields) => {
    expect(() => readUp(attach(fields))).toThrow(violation);
  });

  test.each([
    { cid: 'x'.repeat(64), key: 'x'.repeat(256), node: 'x'.repeat(64) },
    { node: '' },
    { rx: 2 ** 53 - 1 },
    { subs: [[1, 'x'.repeat(300), { since: { epoch: '', offset: 0 }, rewind: 1 }]] },
    { auth: null },
    { auth: [new Uint8Array([1])] },
  ])('takes an attach with %j', (fields) => {
    expect(readUp(attach(fields))?.[1]).toMatchObject(fields);
  });

  test('names a version that it does not speak, whatever else that attach holds', () => {
    expect(() => readUp('[0,{"v":2,"other":"fields"}]')).toThrow(
      expect.objectContaining({ code: 'version_unsupported' }),
    );
  });

  test('bounds auth in bytes of JSON', () => {
    const auth = '漢'.repeat(5_460);
    expect(Buffer.byteLength(JSON.stringify(auth))).toBe(DEFAULT_LIMITS.authBytes - 2);
    expect(readUp(attach({ auth: `${auth}xx` }))).not.toBeNull();
    expect(() => readUp(attach({ auth: `${auth}xxx` }))).toThrow(violation);
    expect(() => readUp(attach({ auth: new Uint8Array(12_300) }))).toThrow(violation);
  });

  test.each([
    '[22,0,"room","say",1,"k"]',
    '[22,1,7,"say",1,"k"]',
    '[22,1,"room","say",1]',
    '[22,1,"room","say",1,""]',
    '[22,1,"room","say",1,"a\\u007f"]',
    `[22,1,"room","say",1,"${'x'.repeat(65)}"]`,
    '[18,1,"room","ask"]',
    '[18,1,"room","ask",1,null]',
    '[28,1,"room",null]',
    '[28,1,"room"]',
    '[30,2,"x"]',
    '[30,true,"x"]',
    '[6,""]',
    '[10,{"key":"","node":"n","gen":1,"n":1,"rx":0,"hold":0}]',
    '[11,{"key":"k","node":"n","gen":1,"n":1,"base":0,"rx":null}]',
  ])('refuses %s', (line) => {
    expect(() => readUp(line)).toThrow(violation);
  });

  test('lets names that are too long pass, for they are answered and do not end the session', () => {
    const long = 'x'.repeat(1_000);
    expect(readUp(encodeFrame([22, 1, long, long, null, 'k']))).toEqual([22, 1, long, long, null, 'k']);
  });

  test('refuses what nests deeper than a payload may, in brackets or braces, with bytes or without', () => {
    const nested = (open: string, close: string, levels: number): string =>
      `[18,1,"]}","ask",${open.repeat(levels)}0${close.repeat(levels)}]`;
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
      ['{"$$b":', '}'],
    ] as const) {
      expect(readUp(nested(open, close, PAYLOAD_LEVELS_MAX))?.[0]).toBe(18);
      expect(() => readUp(nested(open, close, PAYLOAD_LEVELS_MAX + 1))).toThrow(violation);
    }
    expect(() => readUp('['.repeat(1_000_000))).toThrow(violation);
    expect(() => readUp('{"":'.repeat(1_000_000))).toThrow(violation);
  });

  test('does not take a long list for a deep one', () => {
    const frame = [18, 1, 'room', 'ask', Array.from({ length: 500 }, (_, i) => (i % 2 ? [] : {}))] as const;
    expect(readUp(encodeFrame(frame))).toEqual(frame);
  });

  test('does not take brackets in strings for nesting', () => {
    const frame = [18, 1, 'room', 'ask', ['['.repeat(500), '\\"[{'.repeat(300), '\\']] as const;
    expect(readUp(encodeFrame(frame))).toEqual(frame);
  });
});

describe('readDown', () => {
  test('refuses what nests too deep to decode', () => {
    expect(() => readDown(`[19,1,${'{"$$b":'.repeat(100_000)}0${'}'.repeat(100_000)}]`)).toThrow(violation);
    expect(() => readDown('['.repeat(1_000_000))).toThrow(violation);
  });

  test.each([
    { limits: undefined },
    { limits: {} },
    { transports: 'poll' },
    { resumed: 1 },
    { heartbeatMs: -1 },
    { sid: null },
  ])('refuses a welcome with %j', (fields) => {
    const [[, welcome]] = DOWN_FRAMES as unknown as [[0, object]];
    expect(() => readDown(encodeFrame([0, { ...welcome, ...fields }] as never))).toThrow(violation);
  });

  test.each([
    '[16,1,[5],0,1]',
    '[16,1,"5",0,1]',
    '[16,1,5,0]',
    '[16,1,5,0,1,null]',
    '[17,0,{}]',
    '[17,1,{"n":1,"epoch":"e","offset":0,"events":[]}]',
    '[17,1,{"n":1,"epoch":"e","offset":0,"recovered":null,"events":[1]}]',
    '[20,1,"timeout","late"]',
    '[24,1,{"joined":[{"id":"a","connected":true}]}]',
    '[24,1,{"left":[1]}]',
  ])('refuses %s', (line) => {
    expect(() => readDown(line)).toThrow(violation);
  });
});

describe('bytes in a payload', () => {
  const read = (data: string): unknown => readDown(`[19,1,${data}]`)?.[2];

  test('are decoded, and escaped keys lose one $', () => {
    expect(read('{"a":[{"$b":"AQI="}]}')).toEqual({ a: [new Uint8Array([1, 2])] });
    expect(read('{"$$b":1,"$$$b":2,"$bb":3,"$":4}')).toEqual({ $b: 1, $$b: 2, $bb: 3, $: 4 });
    expect(read('{"\\u0024b":"AQI="}')).toEqual(new Uint8Array([1, 2]));
    expect(read('"$b"')).toBe('$b');
  });

  test.each(['{"$b":1}', '{"$b":null}', '{"$b":"A"}', '{"$b":"AA-_"}', '{"$b":"","x":1}', '{"x":1,"$b":""}'])(
    'are refused when they are written as %s',
    (data) => {
      expect(() => read(data)).toThrow(violation);
    },
  );

  test('leave a key called __proto__ an own key of the payload', () => {
    for (const bytes of ['0', '{"$b":""}']) {
      const data = read(
        `{"__proto__":{"admin":true,"at":${bytes}},"constructor":{"prototype":{"admin":true}}}`,
      ) as object;
      expect(Object.keys(data)).toEqual(['__proto__', 'constructor']);
      expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
      expect((data as { admin?: true }).admin).toBeUndefined();
    }
    expect(({} as { admin?: true }).admin).toBeUndefined();
  });
});
