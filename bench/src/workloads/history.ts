import { runnel } from './entrants.ts';
import { deliveryCase } from './measures.ts';
import type { Workload } from './workload.ts';

const withHistory = { ...runnel, label: 'Runnel with history', setup: { history: 100 } } as const;

export const history: Workload = {
  name: 'history',
  title: 'Fan-out with history',
  about: 'A channel that keeps its last 100 messages, beside one that keeps none; 1,000 subscribers.',
  quick: true,
  async run(stage) {
    const connections = stage.size(1_000);
    const layout = { connections, perSession: 1, groupSize: connections };
    const competitors = await stage.start([runnel, withHistory], layout);
    const targets = [{ of: withHistory.label, to: runnel.label, max: 1.1 }];
    const common = { stage, competitors, baseline: runnel.label, payloadBytes: 64, targets };
    return {
      cases: [
        await deliveryCase({ ...common, name: '64 B, one per turn', perTurn: 1 }),
        await deliveryCase({ ...common, name: '64 B, ten per turn', perTurn: 10 }),
      ],
    };
  },
};
