import sockjs, { type Connection } from 'sockjs';
import manifest from 'sockjs/package.json' with { type: 'json' };
import SockJS from 'sockjs-client';
import type { Numbered } from '../arrivals.ts';
import type { Contender } from './contender.ts';
import { reopened } from './reopened.ts';

const PREFIX = '/sockjs';

export const sockJs: Contender = {
  name: 'SockJS',
  version: manifest.version,
  knowsProxies: false,

  host({ take, first }) {
    return (http) => {
      const connections = new Set<Connection>();
      const service = sockjs.createServer({ log: () => {} });
      service.on('connection', (connection) => {
        connections.add(connection);
        connection.write(JSON.stringify(first()));
        connection.on('data', (text) => take(JSON.parse(text) as Numbered));
        connection.on('close', () => connections.delete(connection));
      });
      service.installHandlers(http, { prefix: PREFIX });
      const end = (): void => {
        for (const connection of connections) connection.close();
      };
      return {
        send: (message) => {
          const text = JSON.stringify(message);
          for (const connection of connections) connection.write(text);
        },
        ...{ age: end, close: end },
      };
    };
  },

  visit({ port, scheme = 'http' }, down) {
    return reopened(({ open, message, closed }) => {
      const socket = new SockJS(`${scheme}://127.0.0.1:${port}${PREFIX}`);
      socket.onopen = () => open(nameOf(socket));
      socket.onmessage = ({ data }) => message(String(data));
      socket.onclose = closed;
      return { send: (text) => socket.send(text), close: () => socket.close() };
    }, down);
  },
};

/** Its declarations say that it is a WebSocket, and know of nothing more. */
function nameOf(socket: object): string {
  return 'transport' in socket ? String(socket.transport) : 'unknown';
}
