/**
 * What one writes on `node:http` for long polling: the last messages are kept, a GET asks how many there have been; the next says how many it has
 * seen, and is answered at once or held until there is a message. A POST is read as JSON and answered empty.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Contender, listen, requireRole, type Setup } from './contender.ts';

const KEPT_MAX = 1_000;

export async function startLongPoll(setup: Setup): Promise<Contender> {
  requireRole(setup, 'lobby', 'echo');
  /** JSON of the last messages, and how many there have been. */
  const kept: string[] = [];
  let head = 0;
  const held = new Set<ServerResponse>();

  const answer = (response: ServerResponse, messages: readonly string[]): void => {
    const body = `{"head":${head},"messages":[${messages.join(',')}]}`;
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
  };
  const poll = (request: IncomingMessage, response: ServerResponse): void => {
    const [, since] = request.url?.split('?since=') ?? [];
    if (since === undefined) return answer(response, []);
    if (Number(since) < head) return answer(response, kept.slice(Number(since) - head));
    held.add(response);
    response.on('close', () => held.delete(response));
  };
  const http = createServer((request, response) => {
    if (request.method === 'GET') return poll(request, response);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      JSON.parse(Buffer.concat(chunks).toString());
      response.writeHead(204).end();
    });
  });
  return {
    port: await listen(http),
    version: 'node:http',
    broadcast(_channel, payload) {
      const text = JSON.stringify(payload);
      kept.push(text);
      if (kept.length > KEPT_MAX) kept.shift();
      head += 1;
      for (const response of held) answer(response, [text]);
      held.clear();
    },
  };
}
