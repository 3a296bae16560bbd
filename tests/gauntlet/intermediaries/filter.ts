/** A proxy that speaks HTTP itself and passes on only the headers that it knows: no upgrade, no cookie, nothing of anybody's own. */
import { Agent, createServer, type IncomingHttpHeaders, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import type { Program } from './program.ts';

const KNOWN = ['accept', 'cache-control', 'content-length', 'content-type', 'host', 'origin'];

export async function startFilter(targetPort: number): Promise<Program> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((request, response) => {
    const { method, url, headers } = request;
    const onward = send({ agent, port: targetPort, host: '127.0.0.1', method, path: url, headers: known(headers) });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, known(answer.headers));
      response.flushHeaders();
      pipeline(answer, response, () => {});
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    pipeline(request, onward, () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = async (): Promise<void> => {
    agent.destroy();
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { port: (server.address() as AddressInfo).port, stop };
}

function known(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => KNOWN.includes(name)));
}
