/** What one writes with `ws` alone: a loop that sends the same string to every client. */
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { WebSocket, WebSocketServer } from 'ws';
import { type Contender, listen } from './contender.ts';

const { version } = createRequire(import.meta.url)('ws/package.json') as { readonly version: string };

export async function startWsLoop(): Promise<Contender> {
  const http = createServer();
  const { clients } = new WebSocketServer({ server: http }).on('connection', (client) => client.on('error', () => {}));
  const port = await listen(http);
  return {
    port,
    version: `ws ${version}`,
    broadcast(payloads) {
      for (const payload of payloads) {
        const text = JSON.stringify(payload);
        for (const client of clients) if (client.readyState === WebSocket.OPEN) client.send(text);
      }
    },
  };
}
