import { type ServerOptions, Server as SocketIoServer } from 'socket.io';
import manifest from 'socket.io/package.json' with { type: 'json' };
import { io, type ManagerOptions, type SocketOptions } from 'socket.io-client';
import type { Numbered } from '../arrivals.ts';
import type { Contender, Way } from './contender.ts';

interface Options {
  readonly name: string;
  readonly server: Partial<ServerOptions>;
  readonly client: Partial<ManagerOptions & SocketOptions>;
}

function socketIo({ name, server, client }: Options): Contender {
  return {
    name,
    version: manifest.version,
    knowsProxies: true,

    host({ take, first }) {
      return (http) => {
        const service = new SocketIoServer(http, server);
        service.on('connection', (socket) => {
          if (!socket.recovered) socket.emit('tick', first());
          socket.on('tick', (message: Numbered, acknowledge?: () => void) => {
            take(message);
            acknowledge?.();
          });
        });
        return {
          send: (message) => service.emit('tick', message),
          age: () => service.disconnectSockets(true),
          // It waits for the HTTP server, which ends by itself.
          close: () => void service.close(),
        };
      };
    },

    visit({ port, scheme = 'http', agents, ca }, down) {
      const way = { transportOptions: agentsOf(agents), ...(ca === undefined ? {} : { ca }) };
      const socket = io(`${scheme}://127.0.0.1:${port}`, { forceNew: true, ...way, ...client });
      const handlers = new Set<() => void>();
      const changed = (): void => {
        for (const handler of handlers) handler();
      };
      let failures = 0;
      socket.on('tick', down);
      socket.on('connect', () => {
        failures = 0;
        socket.io.engine.on('upgrade', changed);
        changed();
      });
      socket.on('connect_error', () => {
        failures += 1;
        changed();
      });
      socket.on('disconnect', (reason) => {
        // The one reason for which it does not come back by itself; its manual says to do this.
        if (reason === 'io server disconnect') socket.connect();
        changed();
      });
      return {
        get standing() {
          return { transport: socket.connected ? socket.io.engine.transport.name : null, failures };
        },
        onStanding: (handler) => {
          handlers.add(handler);
          return () => handlers.delete(handler);
        },
        publish: async (message) => {
          if (client.retries === undefined) socket.emit('tick', message);
          else await socket.emitWithAck('tick', message);
        },
        facts: () => null,
        describe: () => `connected: ${socket.connected}, failures: ${failures}`,
        close: () => socket.close(),
      };
    },
  };
}

function agentsOf(agents: Way['agents']): NonNullable<ManagerOptions['transportOptions']> {
  if (agents === undefined) return {};
  return { polling: { agent: agents.http }, websocket: { agent: agents.tunnel } };
}

/** As it comes. */
export const socketIoByDefault: Contender = socketIo({ name: 'socket.io', server: {}, client: {} });

/** With everything that its manual has for bad networks. */
export const socketIoAtItsBest: Contender = socketIo({
  name: 'socket.io, at its best',
  server: { connectionStateRecovery: {} },
  client: {
    ...{ transports: ['websocket', 'polling'], tryAllTransports: true },
    ...{ retries: 100, ackTimeout: 4_000 },
  },
});
