import { longPoll, runnelPoll, runnelStream, socketIoPolling, ws } from './entrants.ts';
import { callCase, deliveryCase } from './measures.ts';
import type { Workload } from './workload.ts';

export const polls: Workload = {
  name: 'polls',
  title: 'Long polling: fan-out, and POST up',
  about:
    'Fan-out: one message per turn answers every held poll, and the next polls come. POST up: one POST with one message, which is checked and goes to nobody, ' +
    'until it is answered; 100 connections, one POST of each in flight.',
  quick: true,
  async run(stage) {
    const connections = stage.size(1_000);
    const layout = { connections, perSession: 1, groupSize: connections };
    const polling = await stage.start([runnelPoll, longPoll, socketIoPolling], layout);
    const fanOut = await deliveryCase({
      ...{ stage, competitors: polling, baseline: longPoll.label, payloadBytes: 64, perTurn: 1 },
      name: 'fan-out to 1,000, 64 B, one per turn',
      targets: [{ of: runnelPoll.label, to: longPoll.label, max: 1 }],
    });
    await stage.stop();
    const posting = stage.size(100);
    const echo = { role: 'echo' } as const;
    const competitors = await stage.start(
      [runnelStream, { ...ws, setup: echo }, { ...longPoll, label: 'plain POST', setup: echo }],
      { connections: posting, perSession: 1, groupSize: posting },
    );
    const posts = await callCase({
      ...{ stage, competitors, baseline: ws.label, payloadBytes: 64, inFlight: 1 },
      name: 'POST up, 64 B, × an echo over ws',
      kindOf: ({ label }) => (label === ws.label ? 'request' : 'post'),
      targets: [{ of: runnelStream.label, to: ws.label, max: 2.2 }],
    });
    const [overStream, overWs] = competitors.slice(0, 2);
    const answered = await callCase({
      ...{ stage, baseline: ws.label, payloadBytes: 64, inFlight: 1 },
      competitors: [overStream, overWs].filter((competitor) => competitor !== undefined),
      name: 'request by POST, its result over the stream, × an echo over ws',
      kindOf: () => 'request',
    });
    return { cases: [fanOut, posts, answered] };
  },
};
