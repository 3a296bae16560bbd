/// <reference types="node" />
/** Properties of the whole wire: what is written at one end arrives at the other, and nothing that arrives can do worse than a RunnelError. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RunnelError } from '../../src/errors.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { FragmentJoiner } from '../../src/wire/fragments.ts';
import type { DownFrame, UpFrame } from '../../src/wire/frames.ts';
import { LineReader, splitMessage } from '../../src/wire/lines.ts';
import { readDown } from '../../src/wire/read-down.ts';
import { readUp } from '../../src/wire/read-up.ts';
import { encodeData, encodeFrame, messageLine, splitLine } from '../../src/wire/write.ts';
import { anyPayload, anyText, chunked } from './arbitrary-json.ts';
import { DOWN_FRAMES, UP_FRAMES } from './samples.ts';

/** Small enough that ordinary payloads are cut into many fragments. */
const SMALL = { ...DEFAULT_LIMITS, lineBytes: 64, fragmentChars: 20 };

function receive(
  chunks: readonly string[],
  read: (line: string) => UpFrame | DownFrame | null,
  limits = SMALL,
): (UpFrame | DownFrame)[] {
  const reader = new LineReader(limits.lineBytes);
  const joiner = new FragmentJoiner(limits.messageBytes);
  const frames: (UpFrame | DownFrame)[] = [];
  for (const line of chunks.flatMap((chunk) => reader.push(chunk))) {
    const frame = read(line);
    const whole = frame?.[0] === 30 ? joiner.push(frame) : line;
    if (whole === null) continue;
    const taken = whole === line ? frame : read(whole);
    if (taken) frames.push(taken);
  }
  expect(reader.rest).toBe(0);
  expect(joiner.open).toBe(false);
  return frames;
}

/** The matchers of vitest ask values for their `constructor`, which here may be a key like any other. */
function expectSame(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
  expect(isDeepStrictEqual(actual, expected)).toBe(true);
}

describe('a line from end to end', () => {
  test('every payload arrives as it was given, however lines and text are cut', () => {
    const cases = fc.array(anyPayload, { minLength: 1, maxLength: 4 }).chain((payloads) => {
      const frames = payloads.map((data, i): UpFrame => [22, i + 1, 'room', 'say', data, 'k1']);
      const text = frames.flatMap((frame) => splitLine(encodeFrame(frame), SMALL)).join('\n');
      return fc.tuple(fc.constant(frames), chunked(`${text}\n`));
    });
    fc.assert(
      fc.property(cases, ([frames, chunks]) => {
        expectSame(
          receive(chunks, (line) => readUp(line, SMALL)),
          frames,
        );
      }),
      { numRuns: 500 },
    );
  });

  test('a broadcast arrives at a client the same way', () => {
    fc.assert(
      fc.property(anyPayload, (data) => {
        const line = messageLine({ channel: 1, offset: 2, prev: 1, event: 0, data: encodeData(data) });
        const message = splitLine(line, SMALL).join('\n');
        expectSame(receive([`${message}\n`], readDown), [[16, 1, 2, 0, data]]);
        expect(splitMessage(message, SMALL.lineBytes)).toEqual(splitLine(line, SMALL));
      }),
    );
  });

  test('a payload of a mebibyte arrives with the limits of the document', () => {
    const data = {
      text: '"漢\u{1f600}\ud83d\n'.repeat(48_000),
      bytes: Uint8Array.from({ length: 150_000 }, (_, i) => i),
    };
    const lines = splitLine(encodeFrame([22, 1, 'room', 'say', data, 'k1']), DEFAULT_LIMITS);
    expect(lines.length).toBeGreaterThan(10);
    const limits = { ...DEFAULT_LIMITS, messageBytes: DEFAULT_LIMITS.messageBytes + DEFAULT_LIMITS.lineBytes };
    const [frame] = receive([`${lines.join('\n')}\n`], (line) => readUp(line, limits), limits);
    expectSame(frame?.[4], data);
  });
});

describe('whatever arrives', () => {
  const readers: ((line: string) => unknown)[] = [(line) => readUp(line, DEFAULT_LIMITS), readDown];

  function hear(line: string): void {
    for (const read of readers) {
      try {
        const frame = read(line);
        expect(frame === null || Array.isArray(frame)).toBe(true);
      } catch (error) {
        if (!RunnelError.is(error)) throw error;
        expect(['protocol_error', 'version_unsupported']).toContain(error.code);
      }
    }
  }

  test('any text is a frame, ignored, or a RunnelError', () => {
    fc.assert(fc.property(fc.oneof(anyText, fc.json()), hear), { numRuns: 1_000 });
  });

  test('so is any array that begins with a type', () => {
    const element = fc.oneof(anyPayload, fc.nat(), fc.constantFrom('room', -1, 1.5));
    const frame = fc.tuple(fc.nat({ max: 32 }), fc.array(element, { maxLength: 6 }));
    fc.assert(
      fc.property(frame, ([type, rest]) => hear(encodeFrame([type, ...rest] as never))),
      { numRuns: 1_000 },
    );
  });

  test('so is a valid line in which something was changed, taken out or put in', () => {
    const lines = [...UP_FRAMES, ...DOWN_FRAMES].map((frame) => encodeFrame(frame));
    const piece = fc.oneof(
      fc.constantFrom(
        '',
        '"',
        '[',
        ']',
        '{',
        '}',
        ',',
        ':',
        '-',
        '0',
        'null',
        '{}',
        '[]',
        '1e999',
        '"$b":',
        '\\',
        '\u0000',
      ),
      anyText,
    );
    const mutation = fc.tuple(fc.constantFrom(...lines), fc.nat(), fc.nat({ max: 8 }), piece);
    fc.assert(
      fc.property(mutation, ([line, at, length, text]) => {
        const start = at % line.length;
        hear(line.slice(0, start) + text + line.slice(start + length));
      }),
      { numRuns: 3_000 },
    );
  });

  test('so is a valid frame of which one value anywhere was replaced', () => {
    const frames = [...UP_FRAMES, ...DOWN_FRAMES].map((frame) => JSON.parse(encodeFrame(frame)) as unknown);
    const mutation = fc.tuple(fc.constantFrom(...frames), fc.nat(), fc.jsonValue());
    fc.assert(
      fc.property(mutation, ([frame, at, replacement]) => {
        let places = 0;
        JSON.stringify(frame, (_, value) => {
          places++;
          return value;
        });
        let place = 0;
        hear(JSON.stringify(frame, (_, value) => (place++ === at % places ? replacement : value)));
      }),
      { numRuns: 3_000 },
    );
  });
});
