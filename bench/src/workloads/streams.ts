import { netMerged, runnelStream, sse } from './entrants.ts';
import { deliveryCase } from './measures.ts';
import type { Workload } from './workload.ts';

export const streams: Workload = {
  name: 'streams',
  title: 'Fan-out over streams, 1,000 subscribers',
  about:
    'Runnel’s stream transport beside server-sent events written to `node:http` responses in a loop. Node joins what is written to a response in one turn.',
  quick: true,
  async run(stage) {
    const connections = stage.size(1_000);
    const layout = { connections, perSession: 1, groupSize: connections };
    const competitors = await stage.start([runnelStream, sse, netMerged], layout);
    const common = { stage, competitors, baseline: sse.label, payloadBytes: 64 };
    const target = { of: runnelStream.label, to: sse.label, floor: netMerged.label };
    return {
      cases: [
        await deliveryCase({ ...common, name: '64 B, one per turn', perTurn: 1, targets: [{ ...target, max: 0.65 }] }),
        await deliveryCase({ ...common, name: '64 B, ten per turn', perTurn: 10, targets: [{ ...target, max: 0.12 }] }),
      ],
    };
  },
};
