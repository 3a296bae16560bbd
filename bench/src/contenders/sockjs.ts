/** SockJS: it has no rooms, so the loop is the application's. */
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { type Connection, createServer as createSockJs } from 'sockjs';
import { type Contender, listen, requireRole, type Setup } from './contender.ts';

const { version } = createRequire(import.meta.url)('sockjs/package.json') as { readonly version: string };

export async function startSockJs(setup: Setup): Promise<Contender> {
  requireRole(setup, 'lobby');
  const connections = new Set<Connection>();
  const sockjs = createSockJs({ log: () => {} });
  // Its types say that there may be none.
  sockjs.on('connection', (connection: Connection | null) => {
    if (connection === null) return;
    connections.add(connection);
    connection.on('close', () => connections.delete(connection));
  });
  const http = createServer();
  sockjs.installHandlers(http, { prefix: '/sockjs' });
  return {
    port: await listen(http),
    version: `sockjs ${version}`,
    broadcast(_channel, payload) {
      const text = JSON.stringify(payload);
      for (const connection of connections) connection.write(text);
    },
  };
}
