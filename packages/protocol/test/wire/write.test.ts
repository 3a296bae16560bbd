/// <reference types="node" />
import { describe, expect, test } from 'vitest';
import { RunnelError } from '../../src/errors.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { PAYLOAD_LEVELS_MAX } from '../../src/wire/binary.ts';
import { readDown } from '../../src/wire/read-down.ts';
import { encodeData, encodeFrame, messageLine, splitLine, volatileLine } from '../../src/wire/write.ts';

function refusal(encode: () => unknown): RunnelError {
  try {
    encode();
  } catch (error) {
    if (RunnelError.is(error)) return error;
    throw error;
  }
  throw new Error('was not refused');
}

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = i % 2 ? { value } : [value];
  return value;
}

describe('encodeData', () => {
  test('writes JSON as JSON.stringify does', () => {
    const data = {
      a: [1, -0, Number.NaN, undefined, null],
      b: undefined,
      c: 'é\ud83d\n',
      d: new Date(0),
      e: { toJSON: () => [1] },
    };
    expect(encodeData(data)).toBe(JSON.stringify(data));
  });

  test('writes a payload of undefined as null', () => {
    expect(encodeData(undefined)).toBe('null');
    expect(encodeData({ toJSON: () => undefined })).toBe('null');
    expect(encodeFrame([18, 1, 'room', 'ask', undefined])).toBe('[18,1,"room","ask",null]');
  });

  test('writes bytes as {"$b"}, those of a Buffer and of a view too', () => {
    const bytes = new Uint8Array([9, 1, 2, 3]);
    expect(encodeData({ at: [bytes.subarray(1)] })).toBe('{"at":[{"$b":"AQID"}]}');
    expect(encodeData(Buffer.from([1, 2, 3]))).toBe('{"$b":"AQID"}');
    expect(encodeData({ toJSON: () => bytes })).toBe('{"$b":"CQECAw=="}');
  });

  test('gives one $ more to keys of $ and b, and to no others', () => {
    expect(encodeData({ $b: 1, $$b: 2, $: 3, b: 4, $bb: 5, a$b: 6, '': 7 })).toBe(
      '{"$$b":1,"$$$b":2,"$":3,"b":4,"$bb":5,"a$b":6,"":7}',
    );
  });

  test('keeps a key called __proto__ beside bytes', () => {
    const data = JSON.parse('{"__proto__":{"admin":true}}');
    expect(encodeData({ data, bytes: new Uint8Array() })).toBe(
      '{"data":{"__proto__":{"admin":true}},"bytes":{"$b":""}}',
    );
    Object.assign(data, { bytes: new Uint8Array() });
    expect(encodeData(data)).toBe('{"__proto__":{"admin":true},"bytes":{"$b":""}}');
  });

  test('leaves what it was given as it was', () => {
    const data = { $b: [new Uint8Array([1])], at: new Date(0) };
    const before = structuredClone(data);
    encodeData(data);
    expect(data).toEqual(before);
  });

  test('calls toJSON once for each value, with its key', () => {
    const keys: string[] = [];
    const spy = {
      toJSON(key: string) {
        keys.push(key);
        return key;
      },
    };
    expect(encodeData({ a: spy, list: [spy] })).toBe('{"a":"a","list":["0"]}');
    expect(keys).toEqual(['a', '0']);
  });

  class Point {
    x = 1;
  }
  test('writes instances of classes by their fields', () => {
    expect(encodeData([new Point(), Object.create(null)])).toBe('[{"x":1},{}]');
  });

  test.each([
    ['bigint', 1n],
    ['function', () => 1],
    ['symbol', Symbol('s')],
    ['Map', new Map()],
    ['Set', new Set()],
    ['Promise', Promise.resolve()],
    ['ArrayBuffer', new ArrayBuffer(1)],
    ['Float64Array', new Float64Array(1)],
    ['DataView', new DataView(new ArrayBuffer(1))],
    ['Error', new TypeError('x')],
    ['RegExp', /x/],
  ])('refuses a %s and names where it stands', (kind, value) => {
    const error = refusal(() => encodeData({ list: [0, { value }] }));
    expect(error.code).toBe('validation_failed');
    expect(error.message).toBe(`The payload cannot be sent: data.list.1.value is a ${kind}.`);
    expect(error.data).toEqual({ issues: [{ message: error.message, path: ['list', 1, 'value'] }] });
    expect(refusal(() => encodeData(value)).message).toBe(`The payload cannot be sent: data is a ${kind}.`);
    expect(refusal(() => encodeFrame([22, 1, 'room', 'say', { value }, 'k1'])).message).toContain('data.value is a');
  });

  test('refuses a circular value', () => {
    const circular: Record<string, unknown> = {};
    circular['again'] = { circular, other: circular };
    expect(refusal(() => encodeData(circular))).toMatchObject({ code: 'validation_failed' });
    expect(refusal(() => encodeFrame([22, 1, 'room', 'say', circular, 'k1']))).toMatchObject({
      code: 'validation_failed',
    });
  });

  test('does not ask what toJSON returned for another toJSON', () => {
    class Again {
      level: number;
      constructor(level: number) {
        this.level = level;
      }
      toJSON() {
        return new Again(this.level + 1);
      }
    }
    expect(encodeData([new Again(0)])).toBe('[{"level":1}]');
    expect(encodeData({ toJSON: () => [new Date(0), new Uint8Array()] })).toBe(
      '["1970-01-01T00:00:00.000Z",{"$b":""}]',
    );
  });

  test('lets a payload nest as deep as the reader takes it, and no deeper', () => {
    const deepest = nested(PAYLOAD_LEVELS_MAX);
    const deeper = nested(PAYLOAD_LEVELS_MAX + 1);
    expect(encodeData(deepest)).toBe(JSON.stringify(deepest));
    expect(refusal(() => encodeData(deeper)).code).toBe('validation_failed');
    expect(refusal(() => encodeFrame([22, 1, 'room', 'say', deeper, 'k1'])).code).toBe('validation_failed');
    const joined = [{ id: 'a', data: { ...(deepest as object), bytes: new Uint8Array() }, connected: true }];
    expect(readDown(encodeFrame([24, 1, { joined }]))).toEqual([24, 1, { joined }]);
  });
});

describe('lines of messages', () => {
  test('are what encodeFrame writes of the same frame', () => {
    const data = { text: 'hi', bytes: new Uint8Array([1]) };
    const meta = { by: 'ann"' };
    const parts = { channel: 3, offset: 8, event: 0, data: encodeData(data) };
    expect(messageLine({ ...parts, prev: 7 })).toBe(encodeFrame([16, 3, 8, 0, data]));
    expect(messageLine({ ...parts, prev: 5, meta })).toBe(encodeFrame([16, 3, [8, 5], 0, data, meta]));
    expect(volatileLine(parts)).toBe(encodeFrame([9, 3, 0, data]));
    expect(volatileLine({ ...parts, meta })).toBe(encodeFrame([9, 3, 0, data, meta]));
  });
});

describe('splitLine', () => {
  const { lineBytes } = DEFAULT_LIMITS;
  const lineOf = (bytes: number): string => `[18,1,"","",${JSON.stringify('x'.repeat(bytes - 15))}]`;

  test('leaves a line alone that fills its limit with its newline', () => {
    const line = lineOf(lineBytes - 1);
    expect(line.length).toBe(lineBytes - 1);
    expect(splitLine(line, DEFAULT_LIMITS)).toEqual([line]);
    expect(splitLine(lineOf(lineBytes), DEFAULT_LIMITS)).toHaveLength(4);
  });

  test('counts bytes, not units', () => {
    expect(splitLine(JSON.stringify('漢'.repeat(21_844)), DEFAULT_LIMITS)).toHaveLength(1);
    expect(splitLine(JSON.stringify('漢'.repeat(21_845)), DEFAULT_LIMITS)).toHaveLength(2);
  });

  test.each(['"', '\\', '\u0001', '\ud83d', '\ude00', '\u{1f600}', '漢', '\ude00\ud83d'])(
    'keeps every line within the limit when the text is all %j',
    (unit) => {
      for (const offset of ['', 'a']) {
        const line = offset + unit.repeat(100_000);
        const frames = splitLine(line, DEFAULT_LIMITS).map((fragment) => {
          expect(Buffer.byteLength(fragment)).toBeLessThan(lineBytes);
          return JSON.parse(fragment) as [number, number, string];
        });
        expect(frames.map(([, , text]) => text).join('') === line).toBe(true);
        expect(frames.map(([type, more]) => [type, more])).toEqual(
          frames.map((_, i) => [30, i < frames.length - 1 ? 1 : 0]),
        );
        for (const [, , text] of frames) {
          expect(text.length).toBeLessThanOrEqual(DEFAULT_LIMITS.fragmentChars);
          if (unit === '\u{1f600}') expect(text).not.toMatch(/\p{Cs}/u);
        }
      }
    },
  );

  test('ends even where the limits leave no room', () => {
    const fragments = splitLine('\u{1f600}'.repeat(9), { lineBytes: 4, fragmentChars: 1 });
    expect(fragments).toHaveLength(9);
  });
});
