import { type Broker, createServer, type RunnelServer } from '@runnel/server';
import { contract, type DemoContract } from '../contract.ts';
import { realtimePath } from '../realtime-path.ts';
import { findRoom } from '../rooms.ts';
import { Directory, type User } from './directory.ts';
import type { FlowRuns } from './flow-runs.ts';

export type Realtime = RunnelServer<DemoContract, User>;

/** The realtime half of the demo: who may do what, and what the server does with what it is sent. */
export function createRealtime(flows: FlowRuns, broker?: Broker): Realtime {
  const directory = new Directory();
  const realtime: Realtime = createServer<DemoContract, User>({
    contract,
    path: realtimePath,
    broker,
    authenticate: ({ auth }) => directory.authenticate(auth),
  });

  realtime.handle('room/:roomId', {
    authorize: ({ params }) => findRoom(params.roomId) !== undefined,
    publish: {
      message: ({ data, user, channel }) =>
        channel.broadcast('message', { ...data, from: directory.person(user), at: Date.now() }),
    },
    presence: ({ user }) => directory.person(user),
  });

  realtime.handle('alerts', {
    open: true,
    publish: {
      raise: ({ data, user, channel }) => {
        const alert = { ...data, from: directory.person(user), at: Date.now() };
        if (alert.to === null) return channel.broadcast('alert', alert);
        return realtime.channel('user/:userId', { userId: alert.to }).broadcast('alert', alert);
      },
    },
  });

  realtime.handle('user/:userId', {
    authorize: ({ user, params }) => user.id === params.userId,
    requests: {
      rename: ({ data, user }) => directory.rename(user.id, data.name),
    },
  });

  realtime.handle('flow/:flowId', {
    // A run belongs to the one who started it: its id begins with theirs.
    authorize: ({ user, params }) => params.flowId.startsWith(`${user.id}.`),
    publish: {
      number: ({ data, params }) => flows.take(params.flowId, data.n),
    },
    requests: {
      start: ({ data, params }) => flows.start(params.flowId, data, realtime.channel('flow/:flowId', params)),
      state: ({ params }) => flows.state(params.flowId),
      stop: ({ params }) => flows.stop(params.flowId),
    },
  });
  return realtime;
}
