import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FrameFault, FrameReader, type FrameSink } from '../../src/transports/frame-reader.ts';
import { clientFrame, type FrameParts, textFrame } from './frames.ts';

const BYTES_MAX = 100_000;

/** Writes down what it is told; what it is given is copied, for it is not ours. */
class Notes implements FrameSink {
  readonly all: unknown[] = [];
  isReading = true;

  handleMessage(data: Buffer, isBinary: boolean): void {
    this.all.push([isBinary ? 'binary' : 'text', data.toString('latin1')]);
  }
  handlePing(data: Buffer): void {
    this.all.push(['ping', data.toString('latin1')]);
  }
  handleClose(code: number): void {
    this.all.push(['close', code]);
    this.isReading = false;
  }
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const mask = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
const ping = fc.record({ payload: bytes(125), mask, pong: fc.boolean() });
/** A message in any number of frames, with pings and pongs before each. */
const message = fc.record({
  isBinary: fc.boolean(),
  frames: fc.array(fc.record({ payload: fc.oneof(bytes(20), bytes(300), fc.constant(new Uint8Array(66_000))), mask }), {
    minLength: 1,
    maxLength: 4,
  }),
  pings: fc.array(ping, { maxLength: 2 }),
});

it('reads whatever a client may send, cut anywhere, in order, and holds nothing at the end', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 30 }), (messages, cuts) => {
      const sent: Buffer[] = [];
      const expected: unknown[] = [];
      for (const { isBinary, frames, pings } of messages) {
        const opcode = isBinary ? 2 : 1;
        for (const [at, frame] of frames.entries()) {
          for (const { payload, mask: key, pong } of pings) {
            sent.push(clientFrame({ opcode: pong ? 10 : 9, payload, mask: key }));
            if (!pong) expected.push(['ping', Buffer.from(payload).toString('latin1')]);
          }
          sent.push(clientFrame({ opcode: at === 0 ? opcode : 0, fin: at === frames.length - 1, ...frame }));
        }
        const whole = Buffer.concat(frames.map(({ payload }) => payload));
        expected.push([isBinary ? 'binary' : 'text', whole.toString('latin1')]);
      }
      const stream = Buffer.concat(sent);
      const reader = new FrameReader(4 * 66_000);
      const notes = new Notes();
      const ends = [...new Set(cuts.map((cut) => cut % (stream.length + 1)))].sort((a, b) => a - b);
      let from = 0;
      for (const to of [...ends, stream.length]) {
        // What a reader is given is its own.
        if (to > from) reader.read(Buffer.from(stream.subarray(from, to)), notes);
        from = to;
      }
      expect(notes.all).toEqual(expected);
      expect(reader.isIdle).toBe(true);
    }),
    { numRuns: 300 },
  );
});

it('reads byte by byte', () => {
  const reader = new FrameReader(BYTES_MAX);
  const notes = new Notes();
  const stream = Buffer.concat([textFrame('a'.repeat(70_000)), textFrame(''), textFrame('b'.repeat(200))]);
  for (const byte of stream) reader.read(Buffer.from([byte]), notes);
  expect(notes.all).toEqual([
    ['text', 'a'.repeat(70_000)],
    ['text', ''],
    ['text', 'b'.repeat(200)],
  ]);
});

const close = (code: number, reason = '') => {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason, 'latin1'));
  payload.write(reason, payload.writeUInt16BE(code), 'latin1');
  return clientFrame({ opcode: 8, payload });
};

it.each([1000, 1001, 1003, 1007, 1011, 1014, 3000, 4409, 4999])('reads close code %i, and nothing after it', (code) => {
  const notes = new Notes();
  new FrameReader(BYTES_MAX).read(Buffer.concat([close(code, 'why'), textFrame('late')]), notes);
  expect(notes.all).toEqual([['close', code]]);
});

it('reads a close frame without a code', () => {
  const notes = new Notes();
  new FrameReader(BYTES_MAX).read(clientFrame({ opcode: 8 }), notes);
  expect(notes.all).toEqual([['close', 1005]]);
});

const long = new Uint8Array(126);
const fragment: FrameParts = { opcode: 1, fin: false, payload: Buffer.from('a') };
it.each<[string, readonly Buffer[], number]>([
  ['a frame that is not masked', [clientFrame({ opcode: 1, mask: null })], 1002],
  ['RSV1, which compression would set', [clientFrame({ opcode: 1, reserved: 4 })], 1002],
  ['RSV2', [clientFrame({ opcode: 2, reserved: 2 })], 1002],
  ['RSV3', [clientFrame({ opcode: 9, reserved: 1 })], 1002],
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): [string, Buffer[], number] => [
    `opcode ${opcode}`,
    [clientFrame({ opcode })],
    1002,
  ]),
  ['a ping in fragments', [clientFrame({ opcode: 9, fin: false })], 1002],
  ['a close frame in fragments', [clientFrame({ opcode: 8, fin: false })], 1002],
  ['a long ping', [clientFrame({ opcode: 9, payload: long })], 1002],
  ['a long pong', [clientFrame({ opcode: 10, payload: long })], 1002],
  ['a continuation of nothing', [clientFrame({ opcode: 0, payload: Buffer.from('a') })], 1002],
  ['a message within another', [clientFrame(fragment), textFrame('b')], 1002],
  ['a close frame of one byte', [clientFrame({ opcode: 8, payload: new Uint8Array(1) })], 1002],
  ...[0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535].map((code): [string, Buffer[], number] => [
    `close code ${code}`,
    [close(code)],
    1002,
  ]),
  ['a reason that is no UTF-8', [close(1000, '\xff')], 1007],
  ['a message beyond the limit', [clientFrame({ opcode: 2, length: 100_001n })], 1009],
  ['a length of 2⁶³', [clientFrame({ opcode: 2, length: 2n ** 63n })], 1009],
  [
    'fragments that are beyond the limit together',
    [clientFrame({ ...fragment, payload: new Uint8Array(60_000) }), clientFrame({ opcode: 0, length: 40_001n })],
    1009,
  ],
])('refuses %s before its payload has come', (_what, frames, closeCode) => {
  const notes = new Notes();
  const reader = new FrameReader(BYTES_MAX);
  const faults: unknown[] = [];
  for (const frame of frames) {
    try {
      reader.read(Buffer.from(frame), notes);
    } catch (error) {
      faults.push(error);
    }
  }
  expect(faults).toEqual([expect.any(FrameFault)]);
  expect(faults[0]).toMatchObject({ closeCode });
  expect(notes.all).toEqual([]);
});

it('takes a message of exactly the limit, in one frame or several', () => {
  const notes = new Notes();
  const reader = new FrameReader(BYTES_MAX);
  reader.read(clientFrame({ opcode: 1, payload: Buffer.alloc(BYTES_MAX, 'a') }), notes);
  reader.read(clientFrame({ ...fragment, payload: Buffer.alloc(BYTES_MAX - 1, 'a') }), notes);
  reader.read(clientFrame({ opcode: 0, payload: Buffer.from('a') }), notes);
  expect(notes.all).toEqual(Array.from({ length: 2 }, () => ['text', 'a'.repeat(BYTES_MAX)]));
});

it('throws nothing but faults, whatever comes', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 10 }), (chunks) => {
      const reader = new FrameReader(1_000);
      const notes = new Notes();
      try {
        for (const chunk of chunks) reader.read(Buffer.from(chunk), notes);
      } catch (error) {
        expect(error).toBeInstanceOf(FrameFault);
      }
    }),
  );
});
