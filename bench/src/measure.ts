/**
 * Contenders take short windows in turn, A B C D, D C B A, …, so that whatever else the machine does strikes all of them alike, and
 * what is compared was measured side by side. Within a window turns go in lockstep: the next broadcast comes when every subscriber has
 * the last one, so each contender does the same work, whatever its speed.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ANSWER_MS, type Competitor, type LoadProcess } from './arena.ts';
import type { ContenderName } from './contenders/roster.ts';
import { cpuTimeNs } from './cpu-time.ts';
import { FIRST_NUMBER } from './payload.ts';
import { BASELINE, type Plan, type Workload } from './plan.ts';

/** What the server does after the last message is out still counts as its work; this is how long it is given for it. */
const SETTLE_MS = 20;
const TURNS_MIN = 3;

/** One contender's window. Per message: per one message to one subscriber. */
export interface Window {
  readonly cpuNsPerMessage: number;
  readonly wireBytesPerMessage: number;
  readonly turns: number;
  /** Messages whose content was compared. */
  readonly compared: number;
}

/** One window of each contender, next to each other. */
export interface Round {
  readonly workload: Workload;
  readonly windows: ReadonlyMap<ContenderName, Window>;
}

export interface MeasureOptions {
  readonly plan: Plan;
  readonly competitors: readonly Competitor[];
  readonly load: LoadProcess;
  readonly progress: (text: string) => void;
}

export class Measurement {
  readonly #options: MeasureOptions;
  /** Number of the next message: none is sent twice. */
  #next = FIRST_NUMBER;

  constructor(options: MeasureOptions) {
    this.#options = options;
  }

  async run(startedAt: number): Promise<readonly Round[]> {
    const { plan, competitors, progress } = this.#options;
    for (const workload of plan.workloads) {
      progress(`warming up: ${workload.name}`);
      for (const competitor of competitors) await this.#window(competitor, workload, plan.warmUpMs);
    }
    if (plan.profileFolder !== null) {
      for (const { name, server } of competitors) {
        server.send({ type: 'profile', file: join(plan.profileFolder, `${name}.cpuprofile`) });
      }
    }
    const rounds: Round[] = [];
    for (let at = 0; at < plan.rounds && performance.now() - startedAt < plan.budgetMs; at += 1) {
      const order = at % 2 === 0 ? competitors : [...competitors].reverse();
      for (const workload of plan.workloads) {
        const windows = new Map<ContenderName, Window>();
        for (const competitor of order) {
          windows.set(competitor.name, await this.#window(competitor, workload, plan.windowMs));
        }
        const round = { workload, windows };
        rounds.push(round);
        progress(`round ${at + 1} of ${plan.rounds}, ${workload.name}: ${ratiosOf(round)}`);
      }
    }
    return rounds;
  }

  async #window({ name, server }: Competitor, { perTurn, payloadBytes }: Workload, ms: number): Promise<Window> {
    const { load, plan } = this.#options;
    load.send({ type: 'open', contender: name, from: this.#next, perTurn, payloadBytes });
    await load.next('opened', ANSWER_MS);
    const cpuBefore = cpuTimeNs(server.pid);
    const until = performance.now() + ms;
    let turns = 0;
    while (turns < TURNS_MIN || performance.now() < until) {
      server.send({ type: 'broadcast', from: this.#next, count: perTurn, payloadBytes });
      await load.next('reached', ANSWER_MS);
      this.#next += perTurn;
      turns += 1;
    }
    await sleep(SETTLE_MS);
    const cpuNs = cpuTimeNs(server.pid) - cpuBefore;
    load.send({ type: 'close', contender: name });
    const { received } = await load.next('closed', ANSWER_MS);
    const { messages, bytes, compared } = received;
    if (messages !== turns * perTurn)
      throw new Error(`${name}: ${turns * perTurn} messages sent, ${messages} received`);
    const delivered = messages * plan.subscribers;
    return { cpuNsPerMessage: cpuNs / delivered, wireBytesPerMessage: bytes / delivered, turns, compared };
  }
}

/** Server CPU per message of `name` as a multiple of that of `to`, in one round. */
export function ratio({ windows }: Round, name: ContenderName, to: ContenderName = BASELINE): number {
  const [of, by] = [windows.get(name), windows.get(to)];
  if (of === undefined || by === undefined) throw new Error(`no window of ${of === undefined ? name : to}`);
  return of.cpuNsPerMessage / by.cpuNsPerMessage;
}

function ratiosOf(round: Round): string {
  const others = [...round.windows.keys()].filter((name) => name !== BASELINE).sort();
  return others.map((name) => `${name} ${ratio(round, name).toFixed(2)}`).join(' · ');
}
