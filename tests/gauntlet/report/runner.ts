/** Sends each contender through each situation, a few at a time. */
import type { Contender } from '../contenders/contender.ts';
import { runnel } from '../contenders/runnel.ts';
import { type Crossing, cross } from '../crossing.ts';
import { Origin } from '../origin.ts';
import { Party } from '../party.ts';
import { within } from '../patience.ts';
import type { Situation } from '../situation.ts';
import type { Plan } from './plan.ts';

/** Others are given longer than their longest time-outs last: 45 s after which socket.io takes a silent connection for dead. */
const PATIENCE_MS = 50_000;
/** How long a situation waits for what others may not do, ms. */
const LENIENCY_MS = 10_000;
/** No crossing takes longer, ms. */
const RUN_MS_MAX = 180_000;

/** What became of one crossing; a text: why there was none. */
export type Outcome = Crossing | string;

/** The outcomes of all runs. */
export class Outcomes {
  readonly #outcomes = new Map<Contender, Map<Situation, Outcome[]>>();

  add(contender: Contender, situation: Situation, outcome: Outcome): void {
    const ofContender = this.#outcomes.get(contender) ?? new Map<Situation, Outcome[]>();
    this.#outcomes.set(contender, ofContender.set(situation, [...this.of(contender, situation), outcome]));
  }

  of(contender: Contender, situation: Situation): readonly Outcome[] {
    return this.#outcomes.get(contender)?.get(situation) ?? [];
  }
}

/** Whether this can be put into that at all. */
function takesPart(contender: Contender, situation: Situation): boolean {
  return contender === runnel || (situation.forOthers && (contender.knowsProxies || !situation.forwardProxy));
}

export async function runAll(plan: Plan, progress: (text: string) => void): Promise<Outcomes> {
  const { contenders, situations, runs, atATime } = plan;
  const outcomes = new Outcomes();
  const pairs = situations.flatMap((situation) =>
    contenders.filter((contender) => takesPart(contender, situation)).map((contender) => ({ contender, situation })),
  );
  // What we promise has to hold each time; what others do is shown by one run.
  const tasks = Array.from({ length: runs }, (_, n) =>
    pairs.filter(({ contender }) => n === 0 || contender === runnel),
  ).flat();
  const total = tasks.length;
  let done = 0;
  for (const contender of contenders) await warmUp(contender);
  const work = async (): Promise<void> => {
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
      const { contender, situation } = task;
      const outcome = await runOne(contender, situation);
      outcomes.add(contender, situation, outcome);
      done += 1;
      progress(`${done}/${total}  ${contender.name}: ${situation.name}: ${sayOf(outcome)}`);
    }
  };
  await Promise.all(Array.from({ length: atATime }, work));
  return outcomes;
}

/** The first connection of a process waits for modules and compilers. */
async function warmUp(contender: Contender): Promise<void> {
  const origin = await Origin.start(contender);
  const party = new Party({ contender, way: origin, patienceMs: PATIENCE_MS });
  await party.first(PATIENCE_MS);
  party.visitor.close();
  await origin.crash();
}

async function runOne(contender: Contender, situation: Situation): Promise<Outcome> {
  const closes: (() => void | Promise<void>)[] = [];
  const lenient = contender === runnel ? {} : { leniencyMs: LENIENCY_MS };
  try {
    const cleanup = (close: () => void | Promise<void>): void => void closes.unshift(close);
    const crossing = cross({ situation, contender, cleanup, patienceMs: PATIENCE_MS, ...lenient });
    // It is awaited below; should it come to grief later still, nobody asks.
    crossing.catch(() => {});
    return (await within(RUN_MS_MAX, crossing)) ? await crossing : `not over after ${RUN_MS_MAX / 1_000} s`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    for (const close of closes) await close();
  }
}

function sayOf(outcome: Outcome): string {
  if (typeof outcome === 'string') return outcome;
  const { firstMs, slowestMs, transport, attaches, proven, roundTrips, connections, up, down } = outcome;
  const faults = (['lost', 'repeated', 'reordered', 'altered'] as const)
    .map((fault) => [fault, up[fault].length, down[fault].length] as const)
    .filter(([, above, below]) => above + below > 0)
    .map(([fault, above, below]) => `${fault} ${above} up, ${below} down`);
  const times = `first ${Math.round(firstMs)} ms, slowest ${Math.round(slowestMs)} ms, ${transport ?? 'none'}`;
  const costs =
    attaches === null ? [] : [`${attaches} attaches, ${proven}, ${roundTrips} round trips, ${connections} connections`];
  return [times, ...costs, ...faults].join('; ');
}
