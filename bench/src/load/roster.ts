import type { Carrier, ContenderName } from '../contenders/contender.ts';
import type { Client, Seat } from './client.ts';
import { LongPollClient, NchanClient, NetClient, SseClient, WsClient } from './plain-clients.ts';
import { RunnelPollClient, RunnelRaceClient, RunnelStreamClient, RunnelWebSocketClient } from './runnel-clients.ts';
import { SocketIoClient, SocketIoPollingClient, SocketIoUpgradeClient, SockJsClient } from './socket-clients.ts';

export type ClientClass = new (seat: Seat) => Client;

const clients: { readonly [name in ContenderName]: { readonly [carrier in Carrier]?: ClientClass } } = {
  runnel: {
    websocket: RunnelWebSocketClient,
    stream: RunnelStreamClient,
    poll: RunnelPollClient,
    race: RunnelRaceClient,
  },
  ws: { websocket: WsClient },
  net: { websocket: NetClient },
  'socket.io': { websocket: SocketIoClient, poll: SocketIoPollingClient, race: SocketIoUpgradeClient },
  sockjs: { websocket: SockJsClient },
  sse: { stream: SseClient },
  'long-poll': { poll: LongPollClient },
  nchan: { websocket: NchanClient },
};

export function clientClass(contender: ContenderName, carrier: Carrier): ClientClass {
  const found = clients[contender][carrier];
  if (found === undefined) throw new Error(`${contender} has no client over ${carrier}`);
  return found;
}
