import { net, runnel, ws } from './entrants.ts';
import { deliveryCase } from './measures.ts';
import type { Workload } from './workload.ts';

const deflate = { deflate: true } as const;
const wsDeflated = { ...ws, label: 'ws, compressed per socket', setup: deflate } as const;
const netDeflated = { ...net, label: 'net, compressed once', setup: deflate } as const;
const runnelDeflated = { ...runnel, label: 'Runnel, compressed once', setup: deflate } as const;

export const compression: Workload = {
  name: 'compression',
  title: 'permessage-deflate, 1,000 subscribers',
  about:
    'What it costs `ws` to compress a broadcast for each socket, and Runnel with `compression: true` and bare sockets to compress it once for all.',
  quick: false,
  async run(stage) {
    const connections = stage.size(1_000);
    const layout = { connections, perSession: 1, groupSize: connections };
    const competitors = await stage.start([ws, wsDeflated, netDeflated, runnel, runnelDeflated], layout);
    const common = { stage, competitors, baseline: wsDeflated.label };
    const targets = [{ of: runnelDeflated.label, to: wsDeflated.label, max: 0.2 }];
    const cost = await deliveryCase({
      ...common,
      name: '1 KiB, one per turn',
      payloadBytes: 1_024,
      perTurn: 1,
      targets,
    });
    const bytes = new Map<string, number>();
    for (const competitor of competitors) {
      const window = await competitor.broadcast({ ms: 0, payloadBytes: 1_024, perTurn: 1, bursts: 3 });
      bytes.set(competitor.label, window.bytes / window.deliveries);
    }
    const wire = {
      name: '1 KiB, wire',
      unit: 'bytes per message',
      baseline: null,
      rounds: [bytes],
      targets: [],
      compared: 0,
    };
    return { cases: [cost, wire] };
  },
};
