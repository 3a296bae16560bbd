import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryNodes } from '../../src/brokers/memory-nodes.ts';
import type { BrokerNode } from '../../src/brokers/nodes.ts';
import { PresenceExchange } from '../../src/cluster/presence-exchange.ts';
import { Presence } from '../../src/presence.ts';
import { VirtualClock } from '../virtual-clock.ts';

let nodes: MemoryNodes;
let presence: Presence<{ id: string }>;
let exchange: PresenceExchange<{ id: string }>;
let others: readonly [BrokerNode, BrokerNode];

const listener = { message: () => {}, nodes: () => {} };
const told = (data: unknown, connected = true): string => JSON.stringify({ connected, data });
const seen = (): unknown => presence.members('room').map(({ id, data, connected }) => [id, data, connected]);

beforeEach(async () => {
  nodes = new MemoryNodes({ announce: (channel, announcement) => exchange.hear(channel, announcement) });
  presence = new Presence({
    clock: new VirtualClock(),
    tell: () => {},
    audience: () => 1,
    channelsMax: 10,
    partSize: 1_000,
  });
  exchange = new PresenceExchange({
    nodes,
    own: () => null,
    members: presence.remote,
    onError: (error) => {
      throw error;
    },
  });
  others = [await nodes.join('n2', listener), await nodes.join('n3', listener)];
  await exchange.follow('room');
});

describe('a user who is in by two other nodes', () => {
  beforeEach(async () => {
    await others[0].enter('room', 'ann', told('first'));
    await others[1].enter('room', 'ann', told('second'));
  });

  it('shows what was entered with last', () => {
    expect(seen()).toEqual([['ann', 'second', true]]);
  });

  it('shows it as well when the broker is back, and all is looked up once more', async () => {
    await others[0].enter('room', 'ann', told('third'));
    exchange.restore();
    await nodes.list();
    expect(seen()).toEqual([['ann', 'third', true]]);
  });

  it('shows it as well when one of the nodes says that its session is away', async () => {
    await others[0].enter('room', 'ann', told('first', false));
    expect(seen()).toEqual([['ann', 'second', true]]);
    await others[1].enter('room', 'ann', told('second', false));
    expect(seen()).toEqual([['ann', 'second', false]]);
  });

  it('shows what is left when the last one has left', async () => {
    await others[1].leave('room', 'ann');
    expect(seen()).toEqual([['ann', 'first', true]]);
    await others[0].leave('room', 'ann');
    expect(seen()).toEqual([]);
  });
});
