import { RunnelError } from '../errors.ts';

/** A span of time: a number of milliseconds, or a number with its unit: `'250ms'`, `'30s'`, `'5m'`, `'1h'`, `'7d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const unitMs: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/**
 * Milliseconds of a {@link Duration}. Parts of a millisecond are rejected, not rounded.
 *
 * @throws RunnelError `contract_invalid` when it is not a positive whole number of milliseconds
 */
export function parseDurationMs(duration: Duration): number {
  const ms = typeof duration === 'string' ? parseText(duration) : duration;
  if (typeof ms === 'number' && Number.isSafeInteger(ms) && ms > 0) return ms;
  const shown = typeof duration === 'string' ? JSON.stringify(duration.slice(0, 64)) : String(duration);
  throw new RunnelError(
    'contract_invalid',
    `${shown} is not a duration: give whole milliseconds above 0, or a number and ms, s, m, h or d, such as '1h'`,
  );
}

function parseText(text: string): number {
  const [, whole = '', fraction = '', unit = ''] = /^(\d{1,16})(?:\.(\d{1,3}))?(ms|s|m|h|d)$/.exec(text) ?? [];
  // In whole numbers, because 1.001 * 1000 is not 1001.
  return (Number(whole + fraction) * (unitMs.get(unit) ?? Number.NaN)) / 10 ** fraction.length;
}
