import { setTimeout as sleep } from 'node:timers/promises';
import type { Round } from '../findings.ts';
import { runnel, socketIo, ws } from './entrants.ts';
import type { Workload } from './workload.ts';

/** What is less counts as this: a server that has slept all the time has no ratio to others. */
const PERCENT_MIN = 0.001;
const FULL_MS = 20_000;
const LABEL_WITHOUT = 'Runnel without heartbeats';
const LABEL_PINGS = 'ws, a ping every 10 s';

export const heartbeats: Workload = {
  name: 'heartbeats',
  title: 'Heartbeats of 10,000 idle connections',
  about:
    'CPU of servers whose clients only answer heartbeats: all are watched during the same 20 s. Runnel’s are due every 10 s, socket.io’s every 25 s.',
  quick: false,
  async run(stage) {
    const connections = stage.size(10_000);
    const competitors = await stage.start(
      [
        runnel,
        { ...runnel, label: LABEL_WITHOUT, setup: { heartbeats: 'off' } },
        { ...ws, label: LABEL_PINGS, setup: { heartbeats: 'on' } },
        ws,
        socketIo,
      ],
      { connections, perSession: 1, groupSize: connections },
    );
    const ms = stage.pace.name === 'full' ? FULL_MS : stage.pace.windowMs;
    stage.progress(`watching for ${ms / 1_000} s`);
    const before = competitors.map((competitor) => competitor.cpuNs());
    await sleep(ms);
    const round: Round = new Map(
      competitors.map((competitor, i) => [
        competitor.label,
        Math.max(PERCENT_MIN, ((competitor.cpuNs() - (before[i] ?? 0)) / (ms * 1e6)) * 100),
      ]),
    );
    return {
      cases: [
        {
          name: `${connections.toLocaleString('en')} idle`,
          unit: '% of one CPU',
          baseline: LABEL_PINGS,
          rounds: [round],
          compared: 0,
          targets: [
            { of: runnel.label, to: LABEL_WITHOUT, max: 1.5 },
            { of: runnel.label, to: LABEL_PINGS, max: 1.5 },
          ],
          note: 'A server without heartbeats does nothing at all, so the first target compares with almost zero; the second compares with the same pings by hand.',
        },
      ],
    };
  },
};
