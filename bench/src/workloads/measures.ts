/** The two things that most workloads measure: what a delivered message costs, and what a call costs. */
import type { BroadcastWindow, Competitor } from '../competitor.ts';
import type { Case, Target } from '../findings.ts';
import type { CallKind } from '../messages.ts';
import type { Stage } from '../stage.ts';

interface CaseOptions {
  readonly stage: Stage;
  readonly name: string;
  readonly competitors: readonly Competitor[];
  readonly baseline: string;
  readonly targets?: readonly Target[];
  readonly note?: string;
}

const NS_PER_US = 1_000;

/** Server CPU per message delivered to one subscriber. */
export async function deliveryCase({
  stage,
  name,
  competitors,
  baseline,
  targets = [],
  note,
  ...window
}: CaseOptions & Omit<BroadcastWindow, 'ms'>): Promise<Case> {
  const measured = await stage.rounds(name, competitors, async (competitor, ms) => {
    const { cpuNs, deliveries, compared } = await competitor.broadcast({ ms, ...window });
    return { value: cpuNs / deliveries / NS_PER_US, compared };
  });
  const unit = 'µs of server CPU per delivered message';
  return { name, unit, baseline, targets, ...measured, ...(note === undefined ? {} : { note }) };
}

/** Server CPU per call of a client. */
export async function callCase({
  stage,
  name,
  competitors,
  baseline,
  targets = [],
  note,
  kindOf,
  ...call
}: CaseOptions & {
  readonly kindOf: (competitor: Competitor) => CallKind;
  readonly inFlight: number;
  readonly payloadBytes: number;
  readonly deliveries?: number;
}): Promise<Case> {
  const measured = await stage.rounds(name, competitors, async (competitor, ms) => {
    const { cpuNs, calls, compared } = await competitor.call({ ms, kind: kindOf(competitor), ...call });
    return { value: cpuNs / calls / NS_PER_US, compared };
  });
  const unit = 'µs of server CPU per call';
  return { name, unit, baseline, targets, ...measured, ...(note === undefined ? {} : { note }) };
}
