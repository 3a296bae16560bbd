import { describe, expect, it } from 'vitest';
import { RecentMessages } from '../src/recent-messages.ts';
import { sharedLine } from '../src/shared-line.ts';

function filled(count: number, size = 10): RecentMessages {
  const recent = new RecentMessages();
  recent.begin();
  for (let offset = 1; offset <= count; offset += 1) {
    recent.add({ offset, prev: offset - 1, slot: null, lines: [sharedLine('x'.repeat(size - 1))] });
  }
  return recent;
}
const offsets = (recent: RecentMessages, after: number) => recent.after(after)?.map(({ offset }) => offset);

describe('recent messages', () => {
  it('are given from an offset on, if none is missing there', () => {
    const recent = filled(300);
    expect(offsets(recent, 297)).toEqual([298, 299, 300]);
    expect(offsets(recent, 44)).toHaveLength(256);
    expect(recent.after(43)).toBeNull();
    expect(recent.after(300)).toBeNull();
  });

  it('are bounded by their bytes too', () => {
    const recent = filled(5, 400_000);
    expect(recent.after(2)).toBeNull();
    expect(offsets(recent, 3)).toEqual([4, 5]);
  });

  it('are kept for as long as somebody wants them', () => {
    const recent = filled(3);
    recent.begin();
    recent.end();
    expect(offsets(recent, 1)).toEqual([2, 3]);
    recent.end();
    expect(recent.wanted).toBe(false);
    expect(recent.after(1)).toBeNull();
  });
});
