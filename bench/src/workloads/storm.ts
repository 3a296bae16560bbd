import { setTimeout as sleep } from 'node:timers/promises';
import type { Entrant } from '../competitor.ts';
import { runnel, socketIo, socketIoPolling, socketIoUpgrading, ws } from './entrants.ts';
import type { Workload } from './workload.ts';

/** A storm is long and its own warm-up. */
const ROUNDS_MAX = 5;
/** Says where it wants to be, and hears that it is there: as much as anybody's clients have to who are not all in one channel. */
const joining = { ...ws, label: 'ws, joining a room', setup: { role: 'rooms' } } as const satisfies Entrant;
const race = { label: 'Runnel, default race', contender: 'runnel', carrier: 'race' } as const satisfies Entrant;

export const storm: Workload = {
  name: 'storm',
  title: 'Connect storm: 2,000 until each has its first message',
  about:
    'Handshake, attach and subscription of all, 256 at a time, and one broadcast to them. The default race is a poll and a WebSocket at once, and the move from the one ' +
    'to the other. Everybody leaves between rounds.',
  quick: true,
  async run(stage) {
    const connections = stage.size(2_000);
    const layout = { connections, perSession: 1, groupSize: connections };
    const competitors = await stage.start(
      [runnel, race, ws, joining, socketIo, socketIoUpgrading, socketIoPolling],
      layout,
      0,
    );
    const measured = await stage.rounds(
      'storm',
      competitors,
      async (competitor) => {
        const before = competitor.cpuNs();
        await competitor.connect(connections);
        const { compared } = await competitor.broadcast({ ms: 0, payloadBytes: 64, perTurn: 1, bursts: 1 });
        const value = (competitor.cpuNs() - before) / connections / 1_000;
        await competitor.disconnect();
        await sleep(stage.pace.settleMs / 4);
        return { value, compared };
      },
      Math.min(stage.pace.rounds, ROUNDS_MAX),
    );
    return {
      cases: [
        {
          ...{ name: `${connections.toLocaleString('en')} connections`, unit: 'µs of server CPU per connection' },
          ...{ baseline: ws.label, ...measured },
          targets: [
            { of: runnel.label, to: ws.label, max: 1.15 },
            { of: runnel.label, to: socketIo.label, max: 0.45 },
            { of: race.label, to: ws.label, max: 2, aim: 1.6 },
            { of: race.label, to: socketIo.label, max: 0.8 },
            { of: race.label, to: socketIoUpgrading.label, max: 0.8 },
          ],
        },
      ],
    };
  },
};
