import { netMerged, runnel, socketIo, ws } from './entrants.ts';
import { deliveryCase } from './measures.ts';
import type { Workload } from './workload.ts';

export const rooms: Workload = {
  name: 'rooms',
  title: 'Rooms: 1,000 connections, each in 10 channels of 10',
  about:
    'Each message goes to another channel. Turns come one after another without a pause, a thousand deliveries between two looks at what has arrived.',
  quick: true,
  async run(stage) {
    const connections = stage.size(1_000);
    const entrants = [runnel, ws, netMerged, socketIo].map((entrant) => ({
      ...entrant,
      setup: { ...('setup' in entrant ? entrant.setup : {}), role: 'rooms' } as const,
    }));
    const competitors = await stage.start(entrants, { connections, perSession: 10, groupSize: 10 });
    const common = { stage, competitors, baseline: ws.label, payloadBytes: 64 };
    const targets = (target: { readonly of: string; readonly floor?: string }, toWs: number, toSocketIo: number) => [
      { ...target, to: ws.label, max: toWs },
      { ...target, to: socketIo.label, max: toSocketIo },
    ];
    const turns = { of: runnel.label };
    // Whose turns have one message each may write less often than once a turn.
    const fullTurns = { ...turns, floor: netMerged.label };
    return {
      cases: [
        await deliveryCase({
          ...common,
          name: 'one per turn',
          perTurn: 1,
          turns: 100,
          targets: targets(turns, 0.65, 0.5),
        }),
        await deliveryCase({
          ...common,
          name: 'a hundred per turn',
          perTurn: 100,
          targets: targets(fullTurns, 0.5, 0.3),
        }),
      ],
    };
  },
};
