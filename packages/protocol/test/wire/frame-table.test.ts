import { describe, expect, test } from 'vitest';
import { RunnelError } from '../../src/errors.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { FRAMES } from '../../src/wire/frame-table.ts';
import { isCounted, Type } from '../../src/wire/frames.ts';
import { readDown } from '../../src/wire/read-down.ts';
import { readUp } from '../../src/wire/read-up.ts';
import { tableOf } from './document.ts';

/** `unknown`: refused or ignored for its type alone; `known`: its elements were looked at. */
function verdict(read: () => unknown): 'known' | 'unknown' {
  try {
    return read() === null ? 'unknown' : 'known';
  } catch (error) {
    return RunnelError.is(error) && /is unknown/.test(error.message) ? 'unknown' : 'known';
  }
}

describe('the table of frames', () => {
  test('says what PROTOCOL §3 says, row by row', () => {
    const rows = tableOf('3. Frames').map(([type, name, kind, direction, form]) => ({
      type: Number(type),
      name,
      class: kind,
      direction,
      form: form?.replaceAll('`', ''),
    }));
    expect(rows.length).toBeGreaterThan(30);
    expect(FRAMES).toEqual(rows);
  });

  test('has the names and numbers of Type', () => {
    expect(Object.fromEntries(FRAMES.map(({ name, type }) => [name, type]))).toEqual(Type);
  });

  test.each(FRAMES)('$type $name is $class', ({ type, class: kind }) => {
    expect(isCounted(type)).toBe(kind === 'counted');
  });

  test.each(FRAMES)('$type $name is read in its direction ($direction)', (frame) => {
    const line = `[${frame.type}]`;
    const others = FRAMES.filter(({ type }) => type === frame.type);
    const expected = (direction: 'up' | 'down') =>
      others.some((other) => other.direction === direction || other.direction === 'both') ? 'known' : 'unknown';
    expect(verdict(() => readUp(line, DEFAULT_LIMITS))).toBe(expected('up'));
    expect(verdict(() => readDown(line))).toBe(expected('down'));
  });
});
