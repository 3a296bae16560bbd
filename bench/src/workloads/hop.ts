import type { Competitor, Entrant } from '../competitor.ts';
import { type BrokerName, hasBroker } from '../contenders/broker-server.ts';
import type { Case } from '../findings.ts';
import type { Stage } from '../stage.ts';
import { runnel, runnelStream, socketIo } from './entrants.ts';
import { callCase, deliveryCase } from './measures.ts';
import type { Workload } from './workload.ts';

const NODES = 3;
const GROUP = 10;
const NS_PER_US = 1_000;
/** Enough to be under way at once that nobody waits for anybody. */
const PER_TURN = 100;

const onNodes = (entrant: Entrant, broker: BrokerName, nodes: number): Entrant => ({
  ...entrant,
  label: `${entrant.label}, ${broker === 'redis' ? 'Redis' : 'NATS'}, ${nodes === 1 ? 'one node' : `${nodes} nodes`}`,
  setup: { ...entrant.setup, broker, nodes },
});

const inRooms = (entrant: Entrant): Entrant => ({ ...entrant, setup: { ...entrant.setup, role: 'rooms' } });

/** One node with nothing beside it, then what a broker and other nodes add. */
const entrants: readonly Entrant[] = [
  runnel,
  ...(hasBroker('redis') ? [onNodes(runnel, 'redis', 1), onNodes(runnel, 'redis', NODES)] : []),
  ...(hasBroker('nats') ? [onNodes(runnel, 'nats', 1), onNodes(runnel, 'nats', NODES)] : []),
  socketIo,
  ...(hasBroker('redis') ? [onNodes(socketIo, 'redis', NODES)] : []),
];

export const hop: Workload = {
  name: 'hop',
  title: 'Past one machine: the hop through a broker',
  about:
    'One node broadcasts; subscribers are spread over all nodes. CPU is that of all nodes together, without the broker unless it is named. Redis and NATS run on the same machine and keep nothing on disk. ' +
    'socket.io keeps no position and no log per channel: with its Redis Streams adapter every node reads every message of every room.',
  quick: false,
  async run(stage) {
    const connections = stage.size(1_000);
    const everybody = await stage.start(entrants, { connections, perSession: 1, groupSize: connections });
    const common = { stage, baseline: runnel.label, payloadBytes: 64 };
    const fanOut = await deliveryCase({
      ...{ ...common, competitors: everybody, perTurn: 1 },
      name: 'one channel of 1,000, 64 B, one per turn',
    });
    await stage.stop();
    const competitors = await stage.start(entrants.map(inRooms), { connections, perSession: 1, groupSize: GROUP });
    const rooms = await deliveryCase({
      ...{ ...common, competitors, perTurn: PER_TURN },
      name: `channels of ${GROUP}, 64 B, ${PER_TURN} per turn`,
    });
    const cases = [fanOut, rooms, await rateCase(stage, competitors), await brokerCase(stage, competitors)];
    await stage.stop();
    return { cases: [...cases, ...(await forwarded(stage))] };
  },
};

/** What comes through, by the clock. */
async function rateCase(stage: Stage, competitors: readonly Competitor[]): Promise<Case> {
  const name = `channels of ${GROUP}, 64 B, ${PER_TURN} per turn, by the clock`;
  const measured = await stage.rounds(name, competitors, async (competitor, ms) => {
    const { deliveries, lastedMs, compared } = await competitor.broadcast({ ms, payloadBytes: 64, perTurn: PER_TURN });
    return { value: deliveries / lastedMs, compared };
  });
  const note =
    'More is better. Nodes, broker and all clients share the cores of one machine: for comparison side by side only.';
  return { name, unit: 'thousand messages delivered per second', baseline: null, targets: [], ...measured, note };
}

/** What the broker itself does for a message, whoever it goes to. */
async function brokerCase(stage: Stage, competitors: readonly Competitor[]): Promise<Case> {
  const shared = competitors.filter((competitor) => competitor.brokerCpuNs() > 0);
  const name = `channels of ${GROUP}, 64 B: the broker`;
  const measured = await stage.rounds(name, shared, async (competitor, ms) => {
    const before = competitor.brokerCpuNs();
    const { messages, compared } = await competitor.broadcast({ ms, payloadBytes: 64, perTurn: PER_TURN });
    return { value: (competitor.brokerCpuNs() - before) / messages / NS_PER_US, compared };
  });
  return { name, unit: 'µs of broker CPU per message published', baseline: null, targets: [], ...measured };
}

/** A POST that comes to another node than its session, beside one that does not. */
async function forwarded(stage: Stage): Promise<Case[]> {
  const brokers = (['redis', 'nats'] as const).filter(hasBroker);
  if (brokers.length === 0) return [];
  const connections = stage.size(100);
  const astray = brokers.map((broker) => {
    const { label, setup, ...entrant } = onNodes(runnelStream, broker, NODES);
    return { ...entrant, label: `${label}, another node`, setup: { ...setup, astray: true } };
  });
  const local = { ...runnelStream, label: runnel.label };
  const competitors = await stage.start([local, ...astray], { connections, perSession: 1, groupSize: connections });
  return [
    await callCase({
      ...{ stage, competitors, baseline: local.label, payloadBytes: 64, inFlight: 1 },
      name: 'POST up, 64 B, until it is answered',
      kindOf: () => 'post',
    }),
  ];
}
