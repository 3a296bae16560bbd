import type { Case, Round } from '../findings.ts';
import type { Stage } from '../stage.ts';
import { nchan, net, netMerged, runnel, socketIo, sockJs, ws } from './entrants.ts';
import { deliveryCase } from './measures.ts';
import type { Workload } from './workload.ts';

const WIRE_BYTES = 64;
const SIZES = [
  [64, '64 B'],
  [1_024, '1 KiB'],
] as const;

export const fanOut: Workload = {
  name: 'fan-out',
  title: 'Fan-out to 1,000 subscribers',
  about:
    'One channel, everybody in it. Turns go in lockstep: the next broadcast comes when every subscriber has the last one.',
  quick: true,
  async run(stage) {
    const connections = stage.size(1_000);
    const layout = { connections, perSession: 1, groupSize: connections };
    const competitors = await stage.start([runnel, ws, net, netMerged, socketIo, sockJs, ...nchan], layout);
    const common = { stage, competitors, baseline: ws.label };
    const target = { of: runnel.label, floor: netMerged.label };
    const one = [
      { ...target, to: ws.label, max: 0.65 },
      { ...target, to: net.label, max: 1.25 },
      { ...target, to: socketIo.label, max: 0.5 },
    ];
    const ten = [
      { ...target, to: ws.label, max: 0.12 },
      { ...target, to: net.label, max: 0.25 },
    ];
    const cases: Case[] = [];
    for (const [payloadBytes, size] of stage.pace.name === 'quick' ? SIZES.slice(0, 1) : SIZES) {
      cases.push(
        await deliveryCase({ ...common, name: `${size}, one per turn`, payloadBytes, perTurn: 1, targets: one }),
        await deliveryCase({ ...common, name: `${size}, ten per turn`, payloadBytes, perTurn: 10, targets: ten }),
      );
    }
    const note = 'Counted at the subscribers, without `meta`, frames and lines included; TCP headers are not.';
    const rounds = [await wireBytes(competitors)];
    const targets = [{ of: runnel.label, to: null, max: 81, aim: 72 }];
    cases.push({ name: 'wire, 64 B', unit: 'bytes per message', baseline: null, rounds, targets, compared: 0, note });
    return { cases };
  },
};

async function wireBytes(competitors: Awaited<ReturnType<Stage['start']>>): Promise<Round> {
  const round = new Map<string, number>();
  for (const competitor of competitors) {
    const { bytes, deliveries } = await competitor.broadcast({ ms: 0, payloadBytes: WIRE_BYTES, perTurn: 1 });
    round.set(competitor.label, bytes / deliveries);
  }
  return round;
}
