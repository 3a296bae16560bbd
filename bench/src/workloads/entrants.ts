/** Whoever takes part in more than one workload. */
import type { Entrant } from '../competitor.ts';
import { hasNchan } from '../contenders/nchan.ts';

export const runnel = { label: 'Runnel', contender: 'runnel', carrier: 'websocket' } as const satisfies Entrant;
export const ws = { label: 'ws', contender: 'ws', carrier: 'websocket' } as const satisfies Entrant;
export const net = { label: 'net', contender: 'net', carrier: 'websocket' } as const satisfies Entrant;
/** The least that any server on `node:net` pays. */
export const netMerged = { ...net, label: 'net, one write a turn', setup: { merges: true } } as const satisfies Entrant;
export const socketIo = { label: 'socket.io', contender: 'socket.io', carrier: 'websocket' } as const satisfies Entrant;
export const sockJs = { label: 'SockJS', contender: 'sockjs', carrier: 'websocket' } as const satisfies Entrant;
const nchanEntrant = { label: 'Nchan', contender: 'nchan', carrier: 'websocket' } as const satisfies Entrant;
export const runnelStream = {
  label: 'Runnel, stream',
  contender: 'runnel',
  carrier: 'stream',
} as const satisfies Entrant;
export const runnelPoll = { label: 'Runnel, poll', contender: 'runnel', carrier: 'poll' } as const satisfies Entrant;
export const sse = { label: 'plain SSE', contender: 'sse', carrier: 'stream' } as const satisfies Entrant;
export const longPoll = {
  label: 'plain long poll',
  contender: 'long-poll',
  carrier: 'poll',
} as const satisfies Entrant;
export const socketIoPolling = {
  label: 'socket.io, polling',
  contender: 'socket.io',
  carrier: 'poll',
} as const satisfies Entrant;
/** As its clients do by default. */
export const socketIoUpgrading = {
  label: 'socket.io, polling first',
  contender: 'socket.io',
  carrier: 'race',
} as const satisfies Entrant;

/** Where it is installed. */
export const nchan: readonly Entrant[] = hasNchan() ? [nchanEntrant] : [];
