import { encodeFrame, splitLine, Type } from '@runnel/protocol';
import { expect, it } from 'vitest';
import { type SharedLine, sharedLine } from '../../src/shared-line.ts';
import { eventBlock, FeedLines } from '../../src/transports/event-block.ts';

const names = { epoch: 'e', events: ['message', 'typing'] };
const blockOf = (lines: FeedLines, line: SharedLine) => {
  const item = lines.read(line, names);
  return typeof item === 'object' && 'block' in item ? item.block : item;
};

it('makes one block of a line for all readers', () => {
  const message = sharedLine(encodeFrame([Type.message, 1, 7, 0, { text: 'hi' }]));
  const typing = sharedLine(encodeFrame([Type.volatile, 1, 1, 'anna']));
  const [first, second] = [new FeedLines(1_000), new FeedLines(1_000)];
  expect(String(blockOf(first, message))).toBe('event: message\nid: e-7\ndata: {"text":"hi"}\n\n');
  expect(String(blockOf(first, typing))).toBe('event: typing\ndata: "anna"\n\n');
  expect(blockOf(second, message)).toBe(blockOf(first, message));
  expect(blockOf(second, typing)).toBe(blockOf(first, typing));
});

it('makes one block of fragments for all readers, wherever the others are in between', () => {
  const data = 'é'.repeat(50_000);
  const whole = encodeFrame([Type.message, 1, [7, 3], 0, data]);
  const fragments = splitLine(whole, { lineBytes: 65_536, fragmentChars: 16_384 }).map(sharedLine);
  const [first, second] = [new FeedLines(200_000), new FeedLines(200_000)];
  const last = fragments.pop() as SharedLine;
  for (const line of fragments) expect(first.read(line, names)).toBe('part');
  const item = first.read(last, names);
  expect(item).toEqual({ block: eventBlock('message', data, 'e-7'), place: { offset: 7, prev: 3 } });
  for (const line of fragments) expect(second.read(line, names)).toBe('part');
  expect(second.read(last, names)).toBe(item);
  // Nothing is left of them: what comes next in fragments is whole.
  const next = splitLine(encodeFrame([Type.message, 1, 8, 0, data]), { lineBytes: 65_536, fragmentChars: 16_384 });
  const items = next.map((text) => second.read(sharedLine(text), names));
  expect(items.at(-1)).toMatchObject({ place: { offset: 8, prev: 7 } });
});

it('gives other frames as they are, in fragments as well', () => {
  const lines = new FeedLines(200_000);
  expect(lines.read(sharedLine('[1,5]'), names)).toEqual({ frame: [1, 5] });
  expect(lines.read(sharedLine('[15,1,1]'), names)).toEqual({ frame: [15, 1, 1] });
  const snapshot = encodeFrame([Type.snapshot, 1, 'x'.repeat(100_000)]);
  const fragments = splitLine(snapshot, { lineBytes: 65_536, fragmentChars: 16_384 });
  const items = fragments.map((text) => lines.read(sharedLine(text), names));
  expect(items.at(-1)).toEqual({ frame: [25, 1, 'x'.repeat(100_000)] });
});

it('writes data on one line, and names as they can be read', () => {
  expect(String(eventBlock('a\r\nb', 'x\ny\r\u2028', 'e-1'))).toBe('event: a  b\nid: e-1\ndata: "x\\ny\\r\u2028"\n\n');
  expect(String(eventBlock('bytes', Uint8Array.of(1, 2)))).toBe('event: bytes\ndata: {"$b":"AQI="}\n\n');
});
