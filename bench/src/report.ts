/** Results as Markdown. */
import type { Results, Score } from './results.ts';
import type { Spread } from './statistics.ts';

export function markdownOf(results: Results): string {
  const { plan, scores, memory, loadAverage } = results;
  const noise = plan.workloads.map(({ name }) => `${name}: ${noiseOf(scores, name)}`);
  return [
    `Server CPU per delivered message, ${plan.subscribers} subscribers of one channel, × a plain \`ws\` send loop in the same round:`,
    'median (quartiles; least–most).',
    '',
    ...table(
      ['', ...plan.workloads.map(({ name }) => name), ...plan.workloads.map(({ name }) => `Runnel ÷ it, ${name}`)],
      plan.contenders.map((contender) => {
        const own = scores.filter((score) => score.contender === contender);
        return [contender, ...own.map((score) => wide(score.ratio)), ...own.map((score) => narrow(score.runnelRatio))];
      }),
    ),
    '',
    ...table(
      ['', 'bytes on the wire per message', 'heap / RSS per idle connection', 'heap / RSS at the end', 'version'],
      memory.map(({ contender, version, perConnection, end }) => [
        contender,
        scores
          .filter((score) => score.contender === contender)
          .map((score) => score.wireBytesPerMessage.toFixed(1))
          .join(' · '),
        `${inKilobytes(perConnection.heapBytes)} / ${inKilobytes(perConnection.rssBytes)} kB`,
        `${inMegabytes(end.heapBytes)} / ${inMegabytes(end.rssBytes)} MB`,
        version,
      ]),
    ),
    '',
    `Every message was counted at every subscriber, and ${sum(scores, 'compared')} were compared with what was sent.`,
    `Noise: middle half of the baseline's absolute times, of their median: ${noise.join('; ')}.`,
    `\`${results.command}\`, ${results.date}, ${results.commit}, Node ${results.node}, Linux ${results.kernel}, ${results.cpu},`,
    `load average ${loadAverage.before.toFixed(1)} before, ${loadAverage.after.toFixed(1)} after; ${results.seconds} s.`,
  ].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

function wide({ median, low, high, min, max }: Spread): string {
  return `**${round(median)}** (${round(low)}–${round(high)}; ${round(min)}–${round(max)})`;
}

function narrow(spread: Spread | null): string {
  return spread === null ? '' : `${round(spread.median)} (${round(spread.low)}–${round(spread.high)})`;
}

/** How far apart the middle half of the baseline's windows is. */
function noiseOf(scores: readonly Score[], workload: string): string {
  const baseline = scores.find(
    (score) => score.workload === workload && score.ratio.min === 1 && score.ratio.max === 1,
  );
  if (baseline === undefined) return 'unknown';
  const { low, high, median } = baseline.cpuNsPerMessage;
  return `${Math.round(((high - low) / median) * 100)} %`;
}

const round = (value: number): string => value.toFixed(value < 0.2 ? 3 : 2);
const inKilobytes = (bytes: number): string => (bytes / 1_000).toFixed(1);
const inMegabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(0);
const sum = (scores: readonly Score[], key: 'compared'): number =>
  scores.reduce((total, score) => total + score[key], 0);
