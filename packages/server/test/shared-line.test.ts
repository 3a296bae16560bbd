import { constants, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compressedFrames, frameLines, joinLines, remembering } from '../src/batch.ts';
import { type SharedLine, sharedLine } from '../src/shared-line.ts';

/** RFC 7692 §7.2.2 */
function inflated(payload: Buffer): string {
  const tail = Buffer.from([0x00, 0x00, 0xff, 0xff]);
  return inflateRawSync(Buffer.concat([payload, tail]), { finishFlush: constants.Z_SYNC_FLUSH }).toString();
}

/** Reads frames of RFC 6455 §5.2 by the letter. Compressed ones are passed to `compressed` as well. */
function readFrames(bytes: Buffer, compressed?: (text: string) => void): string[] {
  const payloads: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at];
    if (first !== 0xc1 || compressed === undefined) expect(first).toBe(0x81);
    const short = bytes[at + 1] as number;
    expect(short & 0x80).toBe(0);
    at += 2;
    let length = short;
    if (short === 126) {
      length = bytes.readUInt16BE(at);
      expect(length).toBeGreaterThan(125);
      at += 2;
    } else if (short === 127) {
      length = Number(bytes.readBigUInt64BE(at));
      expect(length).toBeGreaterThan(65_535);
      at += 8;
    }
    const payload = bytes.subarray(at, at + length);
    const message = first === 0xc1 ? inflated(payload) : payload.toString();
    if (first === 0xc1) compressed?.(message);
    payloads.push(message);
    at += length;
  }
  return payloads;
}

const text = fc.string({ unit: 'grapheme', maxLength: 200 }).map((data) => JSON.stringify([16, 1, 1, 0, data]));

describe('a line', () => {
  it('has the size of its bytes, line end included', () => {
    fc.assert(
      fc.property(text, (line) => {
        expect(sharedLine(line).size).toBe(sharedLine(line).ndjson.length);
      }),
    );
  });

  it('is the same bytes for everybody', () => {
    const line = sharedLine('[1,"ŷ"]');
    expect(line.ndjson).toBe(line.ndjson);
    expect(line.frame).toBe(line.frame);
  });

  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 70_000])('is a frame of %i bytes', (length) => {
    const line = sharedLine('x'.repeat(length));
    expect(readFrames(line.frame)).toEqual([line.text]);
    expect(line.ndjson.toString()).toBe(`${line.text}\n`);
  });

  it('is a frame whatever is in it', () => {
    fc.assert(
      fc.property(text, (line) => {
        expect(readFrames(sharedLine(line).frame)).toEqual([line]);
      }),
    );
  });
});

describe('several lines', () => {
  const several = fc.array(fc.tuple(text, fc.boolean()), { minLength: 1, maxLength: 300 });
  /** Some of them were encoded before. */
  const made = (specs: readonly (readonly [string, boolean])[]): SharedLine[] =>
    specs.map(([line, encoded]) => {
      const shared = sharedLine(line);
      if (encoded) expect(shared.ndjson.length).toBe(shared.size);
      return shared;
    });

  it('are joined in order', () => {
    fc.assert(
      fc.property(several, (specs) => {
        expect(joinLines(made(specs)).toString()).toBe(specs.map(([line]) => `${line}\n`).join(''));
      }),
    );
  });

  it('become messages of a moderate size, whose lines are all of them in order', () => {
    fc.assert(
      fc.property(several, (specs) => {
        const messages = readFrames(frameLines(made(specs)));
        expect(messages.join('')).toBe(specs.map(([line]) => `${line}\n`).join(''));
        for (const message of messages) expect(Buffer.byteLength(message)).toBeLessThanOrEqual(16_384);
      }),
    );
  });

  it('leave a line that is larger than that to itself', () => {
    const [small, large] = [sharedLine('small'), sharedLine('x'.repeat(20_000))];
    expect(readFrames(frameLines([small, large, small])).map(({ length }) => length)).toEqual([6, 20_001, 6]);
  });

  it('go compressed from a size on, each by itself, and the others between them as ever', () => {
    const repeated = fc.tuple(text, fc.integer({ min: 1, max: 20 })).map(([line, times]) => line.repeat(times));
    fc.assert(
      fc.property(fc.array(repeated, { minLength: 1 }), (texts) => {
        const lines = texts.map(sharedLine);
        const compressed: string[] = [];
        const messages = readFrames(compressedFrames(1_000)(lines), (message) => compressed.push(message));
        expect(messages.flatMap((message) => message.split('\n').filter(Boolean))).toEqual(texts);
        const smaller = lines.filter(({ size, frame, compressedFrame }) => size >= 1_000 && frame !== compressedFrame);
        expect(compressed).toEqual(smaller.map((line) => line.text));
      }),
    );
  });

  it('are encoded once for carriers that send the same', () => {
    const encode = remembering(joinLines);
    const [one, two, three] = [sharedLine('1'), sharedLine('2'), sharedLine('3')];
    const first = encode([one, two]);
    expect(encode([one, two])).toBe(first);
    expect(encode([one, three]).toString()).toBe('1\n3\n');
    expect(encode([one]).toString()).toBe('1\n');
  });
});
