/** The tables of the report, as Markdown. */
import type { Contender } from '../contenders/contender.ts';
import { runnel } from '../contenders/runnel.ts';
import type { Group } from '../situations/all.ts';
import { markdownTable } from './markdown.ts';
import type { Plan } from './plan.ts';
import type { Outcomes } from './runner.ts';
import { isWhole, misses, type Verdict, verdictOf } from './verdict.ts';

const NOT_RUN = '–';

/** A table for each group, and what they come to. */
export function tablesOf({ contenders, situations }: Plan, groups: readonly Group[], outcomes: Outcomes): string {
  const parts = groups.map(({ title, situations: all }) => {
    const present = all.filter((situation) => situations.includes(situation));
    const crossers = contenders.filter((contender) => present.some((one) => outcomes.of(contender, one).length > 0));
    if (crossers.length === 0) return '';
    const judged = crossers.includes(runnel);
    const head = ['situation', ...crossers.map(({ name }) => name), ...(judged ? ['Runnel within its targets'] : [])];
    const rows = present.map((situation) => {
      const cells = crossers.map((contender) => cellOf(verdictOf(outcomes.of(contender, situation))));
      const verdict = verdictOf(outcomes.of(runnel, situation));
      const missed = verdict === null ? [] : misses(situation, verdict);
      return [
        situation.name,
        ...cells,
        ...(judged ? [missed.length === 0 ? 'pass' : `**miss**: ${missed.join('; ')}`] : []),
      ];
    });
    return `### ${title}\n\n${markdownTable(head, rows)}\n`;
  });
  return [summaryOf({ contenders, situations }, outcomes), ...parts.filter((part) => part !== '')].join('\n');
}

function summaryOf({ contenders, situations }: Pick<Plan, 'contenders' | 'situations'>, outcomes: Outcomes): string {
  // Who was put into less is compared by the same measure.
  const shared = situations.filter((one) => contenders.every((contender) => outcomes.of(contender, one).length > 0));
  const count = (contender: Contender, like: (verdict: Verdict) => boolean): string => {
    const verdicts = shared.map((one) => verdictOf(outcomes.of(contender, one)));
    return `${verdicts.filter((verdict) => verdict !== null && like(verdict)).length}`;
  };
  const head = [`of the ${shared.length} situations that all were put into`, ...contenders.map(({ name }) => name)];
  const row = (name: string, like: (verdict: Verdict) => boolean): string[] => [
    name,
    ...contenders.map((contender) => count(contender, like)),
  ];
  const rows = [
    row('everything arrived, once, in order', isWhole),
    row('something arrived, not all of it', ({ reached, faults }) => reached && has(faults, 'lost')),
    row('something arrived twice', ({ faults }) => has(faults, 'repeated')),
    row('nothing arrived', ({ reached }) => !reached),
  ];
  return `${markdownTable(head, rows)}\n`;
}

function has(faults: Verdict['faults'], fault: string): boolean {
  return faults.some(([name]) => name === fault);
}

function cellOf(verdict: Verdict | null): string {
  if (verdict === null) return NOT_RUN;
  const { reached, faults, transport, firstMs, slowestMs, failures } = verdict;
  if (failures.length > 0) return '**failed**';
  if (!reached) return '**nothing**';
  const arrived = faults.length === 0 ? 'all' : `**${faults.map(([fault, count]) => `${count} ${fault}`).join(', ')}**`;
  return `${arrived} · ${transport ?? 'none'} · ${Math.round(firstMs)} / ${Math.round(slowestMs)}`;
}
