import { runnel, socketIo, ws } from './entrants.ts';
import { callCase } from './measures.ts';
import type { Workload } from './workload.ts';

export const requests: Workload = {
  name: 'requests',
  title: 'Request → result over WebSocket, 100 in flight',
  about:
    'Runnel checks input and output with zod; `ws` parses and serialises JSON and checks nothing, as does socket.io, whose requests are acknowledgements.',
  quick: true,
  async run(stage) {
    const entrants = [runnel, ws, socketIo].map((entrant) => ({ ...entrant, setup: { role: 'echo' } as const }));
    const targets = [
      { of: runnel.label, to: ws.label, max: 1.15 },
      { of: runnel.label, to: socketIo.label, max: 0.7 },
    ];
    const cases = [];
    for (const [connections, inFlight] of [
      [10, 10],
      [stage.size(100), 1],
      [1, 100],
    ] as const) {
      const layout = { connections, perSession: 1, groupSize: connections };
      const competitors = await stage.start(entrants, layout);
      cases.push(
        await callCase({
          ...{ stage, competitors, inFlight, targets, baseline: ws.label, payloadBytes: 64 },
          name: `64 B, ${connections} ${connections === 1 ? 'connection' : 'connections'} with ${inFlight} each`,
          kindOf: () => 'request',
        }),
      );
      await stage.stop();
    }
    return { cases };
  },
};
