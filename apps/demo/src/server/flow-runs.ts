import { RunnelError } from '@runnel/protocol';
import type { ServerChannel } from '@runnel/server';
import type { DemoContract, FlowState } from '../contract.ts';
import { Pace } from '../pace.ts';
import { Sequence } from '../sequence.ts';

type FlowChannel = ServerChannel<DemoContract, 'flow/:flowId'>;

interface FlowPlan {
  readonly count: number;
  readonly perSecond: number;
}

interface Run {
  readonly plan: FlowPlan;
  readonly received: Sequence;
  sent: number;
  readonly timer: ReturnType<typeof setInterval>;
}

const turnMs = 20;
/** A run that nobody stops ends by itself. */
const runMsMax = 10 * 60_000;
const runsMax = 100;
const stateEveryTurns = 10;

/** The server's half of the flow test: sends numbers down at a steady rate, and checks the ones that come up. */
export class FlowRuns {
  readonly #runs = new Map<string, Run>();

  start(flowId: string, plan: FlowPlan, channel: FlowChannel): void {
    this.stop(flowId);
    for (const oldest of this.#runs.keys()) {
      if (this.#runs.size < runsMax) break;
      this.stop(oldest);
    }
    const startedAt = performance.now();
    const pace = new Pace({ perSecond: plan.perSecond, burstMax: 200, now: startedAt });
    let turn = 0;
    const timer = setInterval(() => {
      const now = performance.now();
      if (now - startedAt > runMsMax) return this.stop(flowId);
      const due = Math.min(pace.due(now), plan.count - run.sent);
      // A broadcast that the broker refused shows on the page: as a number that never came.
      for (let i = 0; i < due; i++) channel.broadcast('number', { n: run.sent++ }).catch(() => {});
      if (turn++ % stateEveryTurns !== 0) return;
      channel.broadcast('state', { sent: run.sent, received: run.received.tally() }).catch(() => {});
    }, turnMs);
    const run: Run = { plan, received: new Sequence(), sent: 0, timer };
    this.#runs.set(flowId, run);
  }

  /** @throws RunnelError where no such run is here */
  take(flowId: string, n: number): void {
    const run = this.#runs.get(flowId);
    if (run === undefined) throw new RunnelError('handler_failed', 'This run is over, or at another node.');
    run.received.take(n);
  }

  /** To be asked when all numbers have been sent: those that have not come are missing. */
  state(flowId: string): FlowState {
    const run = this.#runs.get(flowId);
    if (run === undefined) return { sent: 0, received: new Sequence().tally() };
    return { sent: run.sent, received: run.received.tally(run.plan.count) };
  }

  stop(flowId: string): void {
    clearInterval(this.#runs.get(flowId)?.timer);
    this.#runs.delete(flowId);
  }

  stopAll(): void {
    for (const flowId of [...this.#runs.keys()]) this.stop(flowId);
  }
}
