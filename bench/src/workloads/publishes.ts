import { runnel, socketIo, ws } from './entrants.ts';
import { callCase } from './measures.ts';
import type { Workload } from './workload.ts';

const GROUP = 10;

export const publishes: Workload = {
  name: 'publishes',
  title: 'Publish from clients with an answer, fan-out 10',
  about:
    'By hand on `ws` is: parse, check with zod, serialise once, send to the ten members of the room, answer. 100 connections in ten rooms, one publish of each in flight.',
  quick: true,
  async run(stage) {
    const connections = stage.size(100);
    const entrants = [runnel, ws, socketIo].map((entrant) => ({ ...entrant, setup: { role: 'rooms' } as const }));
    const competitors = await stage.start(entrants, { connections, perSession: 1, groupSize: GROUP });
    return {
      cases: [
        await callCase({
          ...{ stage, competitors, inFlight: 1, payloadBytes: 64, deliveries: GROUP },
          name: '64 B',
          baseline: ws.label,
          kindOf: () => 'publish',
          targets: [{ of: runnel.label, to: ws.label, max: 1.1 }],
        }),
      ],
    };
  },
};
