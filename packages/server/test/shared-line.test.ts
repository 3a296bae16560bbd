import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frameLines, joinLines, remembering } from '../src/batch.ts';
import { type SharedLine, sharedLine } from '../src/shared-line.ts';

/** Reads frames of RFC 6455 §5.2 by the letter. */
function readFrames(bytes: Buffer): string[] {
  const payloads: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    expect(bytes[at]).toBe(0x81);
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
    payloads.push(bytes.toString('utf8', at, at + length));
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

  it('are encoded once for carriers that send the same', () => {
    const encode = remembering(joinLines);
    const [one, two, three] = [sharedLine('1'), sharedLine('2'), sharedLine('3')];
    const first = encode([one, two]);
    expect(encode([one, two])).toBe(first);
    expect(encode([one, three]).toString()).toBe('1\n3\n');
    expect(encode([one]).toString()).toBe('1\n');
  });
});
