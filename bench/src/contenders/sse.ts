/** What one writes on `node:http` for server-sent events: a loop that writes the same block to every response. */
import { createServer, type ServerResponse } from 'node:http';
import { type Contender, listen, requireRole, type Setup } from './contender.ts';

export async function startSse(setup: Setup): Promise<Contender> {
  requireRole(setup, 'lobby');
  const responses = new Set<ServerResponse>();
  const http = createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write('retry: 2000\n\n');
    responses.add(response);
    response.on('close', () => responses.delete(response));
  });
  return {
    port: await listen(http),
    version: 'node:http',
    broadcast(_channel, payload) {
      const block = `data: ${JSON.stringify(payload)}\n\n`;
      for (const response of responses) response.write(block);
    },
  };
}
