import { runnel, ws } from './entrants.ts';
import { deliveryCase } from './measures.ts';
import type { Workload } from './workload.ts';

export const largeFanOut: Workload = {
  name: 'large-fan-out',
  title: 'Fan-out to 5,000 subscribers',
  about: 'As above.',
  quick: false,
  async run(stage) {
    const connections = stage.size(5_000);
    const layout = { connections, perSession: 1, groupSize: connections };
    const competitors = await stage.start([runnel, ws], layout);
    const common = { stage, competitors, baseline: ws.label, payloadBytes: 64 };
    const target = { of: runnel.label, to: ws.label };
    return {
      cases: [
        await deliveryCase({ ...common, name: '64 B, one per turn', perTurn: 1, targets: [{ ...target, max: 0.95 }] }),
        await deliveryCase({ ...common, name: '64 B, ten per turn', perTurn: 10, targets: [{ ...target, max: 0.15 }] }),
      ],
    };
  },
};
