import { describe, expect, it } from 'vitest';
import { Layout } from '../src/layout.ts';

describe.each([
  { connections: 1_000, perSession: 10, groupSize: 10 },
  { connections: 1_000, perSession: 1, groupSize: 1_000 },
  { connections: 20, perSession: 10, groupSize: 10 },
  { connections: 1_000, perSession: 100, groupSize: 10 },
])('$connections connections in $perSession channels of $groupSize', (shape) => {
  const layout = new Layout(shape);
  const channelsOf = Array.from({ length: shape.connections }, (_, i) => layout.channelsOf(i));

  it('puts everybody into so many different channels', () => {
    expect(channelsOf.every((channels) => new Set(channels).size === shape.perSession)).toBe(true);
  });

  it('gives every channel so many members', () => {
    const members = new Map<number, number>();
    for (const channel of channelsOf.flat()) members.set(channel, (members.get(channel) ?? 0) + 1);
    expect(members.size).toBe(layout.channels);
    expect(new Set(members.values())).toEqual(new Set([shape.groupSize]));
  });

  it('sends to all channels in turn', () => {
    const turn = Array.from({ length: layout.channels }, (_, n) => layout.channelOf(10_000_000 + n));
    expect(new Set(turn).size).toBe(layout.channels);
    expect(layout.channelOf(10_000_000 + layout.channels)).toBe(turn[0]);
  });
});

it('shares a channel with others each time', () => {
  const layout = new Layout({ connections: 1_000, perSession: 2, groupSize: 10 });
  const [first, second] = layout.channelsOf(0);
  const with0 = (channel: number | undefined) =>
    Array.from({ length: 1_000 }, (_, i) => i).filter((i) => layout.channelsOf(i).includes(channel as number));
  expect(with0(first).filter((i) => with0(second).includes(i))).toEqual([0]);
});

it('refuses what cannot be laid out evenly', () => {
  expect(() => new Layout({ connections: 1_001, perSession: 1, groupSize: 10 })).toThrow(RangeError);
  expect(() => new Layout({ connections: 1_000, perSession: 3, groupSize: 10 })).toThrow(RangeError);
});
