import type { AddressInfo, Server } from 'node:net';
import type { Payload } from '../payload.ts';
import type { BrokerName } from './broker-server.ts';

export type ContenderName = 'runnel' | 'ws' | 'net' | 'socket.io' | 'sockjs' | 'sse' | 'long-poll' | 'nchan';

/** How its clients connect. `race`: by poll first, and a WebSocket takes over. */
export type Carrier = 'websocket' | 'stream' | 'poll' | 'race';

/** What a server is started for. Each contender knows those roles in which it takes part. */
export interface Setup {
  /** `lobby`: whoever connects is in channel 0. `rooms`: clients say where they want to be. `echo`: what is asked is answered. */
  readonly role: 'lobby' | 'rooms' | 'echo';
  /** `on` makes a contender that has none by itself send them, `off` takes them from one that has. */
  readonly heartbeats: 'as usual' | 'on' | 'off';
  /** Messages kept per channel; null: none. */
  readonly history: number | null;
  readonly deflate: boolean;
  /** Of `net`: whether what a turn has for a socket goes in one write. */
  readonly merges: boolean;
  /** What nodes share; null: there is one, and it shares nothing. */
  readonly broker: BrokerName | null;
  /** Where that is; null: it is to be started, and the other nodes. */
  readonly brokerUrl: string | null;
  readonly nodes: number;
  /** Clients POST to another node than the one they have attached to. */
  readonly astray: boolean;
}

export const SETUP: Setup = {
  ...{ role: 'lobby', heartbeats: 'as usual', history: null, deflate: false, merges: false },
  ...{ broker: null, brokerUrl: null, nodes: 1, astray: false },
};

/** A server that is up. */
export interface Contender {
  readonly port: number;
  /** What it is, with its version. */
  readonly version: string;
  /** The processes that serve, where they are not this one. */
  readonly pids?: readonly number[];
  /** Of its nodes, where it has several. */
  readonly ports?: readonly number[];
  readonly brokerPids?: readonly number[];
  /** Sends a message to every subscriber of a channel. */
  broadcast(channel: number, payload: Payload): void;
}

/** Starts a server on a free port of the loopback interface. */
export type StartContender = (setup: Setup) => Promise<Contender>;

/** Connections that wait to be accepted: a whole storm of them. */
const BACKLOG = 4_096;

export function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1', backlog: BACKLOG }, () =>
      resolve((server.address() as AddressInfo).port),
    );
  });
}

/** @throws the contender does not do that */
export function requireRole(setup: Setup, ...roles: readonly Setup['role'][]): void {
  if (!roles.includes(setup.role)) throw new Error(`It takes no part in ${setup.role}`);
}
