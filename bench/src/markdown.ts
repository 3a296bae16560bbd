/** Results as Markdown, and their place in a document. */
import type { CaseResult, Results, Verdict, WorkloadResult } from './results.ts';
import type { Spread } from './statistics.ts';

export const BEGIN = '<!-- bench: begin -->';
export const END = '<!-- bench: end -->';

/** Replaces what stands between the markers. @throws where the document has none */
export function inserted(document: string, markdown: string): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`The document needs the lines ${BEGIN} and ${END}.`);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${markdown}\n\n${document.slice(end)}`;
}

/** `plotFile`: where the plots are, from the document; null where there are none. */
export function markdownOf(results: Results, plotFile: string | null): string {
  const { workloads } = results;
  const verdicts = workloads.flatMap(({ cases }) => cases.flatMap((of) => of.verdicts));
  const met = verdicts.filter(({ pass }) => pass).length;
  const beyond = verdicts.filter(({ pass, least, max }) => !pass && least !== null && least > max).length;
  return [
    `\`${results.command}\`, ${results.date}, ${results.commit}; ${results.seconds} s. Node ${results.node}, Linux ${results.kernel}, ${results.cpu}, load average ` +
      `${results.load[0].toFixed(1)} before, ${results.load[1].toFixed(1)} after. ${results.versions.join(', ')}.`,
    `**${met} of ${verdicts.length} targets are met.**${beyond === 0 ? '' : ` ${beyond} of the others ${beyond === 1 ? 'is' : 'are'} less than the floor.`}`,
    targetsTable(workloads),
    ...workloads.map(workloadSection),
    ...(plotFile === null ? [] : [`![How costs grow](${plotFile})`]),
  ].join('\n\n');
}

function targetsTable(workloads: readonly WorkloadResult[]): string {
  const rows = workloads.flatMap(({ title, cases }) =>
    cases.flatMap(({ name, verdicts }) => verdicts.map((verdict) => [title, name, ...verdictCells(verdict)])),
  );
  return table(['workload', 'case', 'what', 'target', 'measured', 'floor', ''], rows);
}

function verdictCells({ of, to, max, aim, measured, least, pass }: Verdict): string[] {
  const what = to === null ? of : `${of} ÷ ${to}`;
  const target = `≤ ${max}${aim === undefined ? '' : `, aim ${aim}`}`;
  return [what, target, short(measured), least === null ? '' : short(least), pass ? 'met' : '**missed**'];
}

function workloadSection({ title, about, failure, cases }: WorkloadResult): string {
  const failed = failure === null ? [] : [`**Failed: ${failure}**`];
  return [`### ${title}`, about, ...failed, ...cases.map(caseTable)].join('\n\n');
}

function caseTable({ name, unit, baseline, note, compared, windows, scores }: CaseResult): string {
  const hasRatio = baseline !== null;
  const head = ['', unit, ...(hasRatio ? [`× ${baseline}`] : [])];
  const rows = scores.map(({ label, figure, ratio }) => [
    label,
    spreadText(figure),
    ...(ratio === null ? [] : [spreadText(ratio)]),
  ]);
  const checked = compared > 0 ? ` ${compared.toLocaleString('en')} contents compared.` : '';
  const rounds = windows === 1 ? 'One round.' : `${windows} rounds.`;
  return [`**${name}.** ${rounds}${checked}${note === null ? '' : ` ${note}`}`, table(head, rows)].join('\n\n');
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Median, and the quartiles where there is a spread. */
function spreadText({ median, low, high, min, max }: Spread): string {
  return min === max ? short(median) : `${short(median)} (${short(low)}–${short(high)})`;
}

/** Three significant digits. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en');
  return size >= 10 ? value.toFixed(1) : size >= 1 ? value.toFixed(2) : value.toFixed(3);
}
