/** What a run of the gauntlet is asked for on its command line. */
import { parseArgs } from 'node:util';
import type { Contender } from '../contenders/contender.ts';
import { CONTENDERS } from '../contenders/roster.ts';
import type { Situation } from '../situation.ts';
import { SITUATIONS } from '../situations/all.ts';

export interface Plan {
  /** Of Runnel; of the others there is one. */
  readonly runs: number;
  readonly atATime: number;
  readonly contenders: readonly Contender[];
  readonly situations: readonly Situation[];
  /** Whether nothing is left out, so that the result may stand in the documents. */
  readonly whole: boolean;
}

export function planOf(args: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '1' },
      'at-a-time': { type: 'string', default: '8' },
      contenders: { type: 'string' },
      situations: { type: 'string' },
    },
  });
  const contenders = chosen(CONTENDERS, values.contenders?.split(','));
  const situations = chosen(SITUATIONS, values.situations?.split(','));
  return {
    ...{ contenders, situations },
    runs: count('--runs', values.runs),
    atATime: count('--at-a-time', values['at-a-time']),
    whole: values.contenders === undefined && values.situations === undefined,
  };
}

/** Those whose name has one of the words in it. */
function chosen<T extends { readonly name: string }>(
  all: readonly T[],
  words: readonly string[] | undefined,
): readonly T[] {
  if (words === undefined) return all;
  const some = all.filter(({ name }) => words.some((word) => name.toLowerCase().includes(word.trim().toLowerCase())));
  if (some.length > 0) return some;
  throw new Error(
    `Nothing is called ${words.join(' or ')}; there is:\n${all.map(({ name }) => `  ${name}`).join('\n')}`,
  );
}

function count(option: string, given: string): number {
  const value = Number(given);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`${option} is ${given}; it must be a whole number above 0.`);
}
