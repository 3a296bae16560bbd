import { WebSocket, WebSocketServer } from 'ws';
import manifest from 'ws/package.json' with { type: 'json' };
import type { Numbered } from '../arrivals.ts';
import type { Contender } from './contender.ts';
import { reopened } from './reopened.ts';

/** Nothing but a WebSocket, opened again when it closes. */
export const plainWs: Contender = {
  name: 'ws',
  version: manifest.version,
  knowsProxies: true,

  host({ take, first }) {
    return (http) => {
      const service = new WebSocketServer({ server: http });
      service.on('connection', (socket) => {
        socket.send(JSON.stringify(first()));
        socket.on('message', (data) => take(JSON.parse(String(data)) as Numbered));
        // `close` follows.
        socket.on('error', () => {});
      });
      const end = (): void => {
        for (const socket of service.clients) socket.terminate();
      };
      return {
        send: (message) => {
          const text = JSON.stringify(message);
          for (const socket of service.clients) socket.send(text);
        },
        age: end,
        close: (farewell) => {
          if (farewell) for (const socket of service.clients) socket.close(1001);
          else end();
          service.close();
        },
      };
    };
  },

  visit({ port, scheme = 'http', agents, ca }, down) {
    const options = { ...(agents && { agent: agents.tunnel }), ...(ca !== undefined && { ca }) };
    const url = `${scheme.replace('http', 'ws')}://127.0.0.1:${port}`;
    return reopened(({ open, message, closed }) => {
      const socket = new WebSocket(url, options);
      socket.on('open', () => open('websocket'));
      socket.on('message', (data) => message(String(data)));
      socket.on('error', () => {});
      socket.on('close', closed);
      return { send: (text) => socket.send(text), close: () => socket.terminate() };
    }, down);
  },
};
