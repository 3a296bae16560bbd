/** A proxy that speaks HTTP itself, and so knows of no upgrade. What it does with each request, and with its answer, is its own affair. */
import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
  request as send,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Program } from './program.ts';

/** A request that has come in, whole. */
interface Errand {
  /** Counts from 0. */
  readonly n: number;
  readonly isPost: boolean;
  readonly headers: IncomingHttpHeaders;
  /** Asks the server, and again each time it is called; `headers` in place of those that came. */
  forward(headers?: IncomingHttpHeaders): Promise<IncomingMessage>;
}

/** Answers it. What it throws means that the server is gone: the connection is cut. */
export type Clerk = (errand: Errand, response: ServerResponse) => unknown;

/** Headers that concern one connection only. */
const OF_CONNECTION = ['connection', 'keep-alive', 'transfer-encoding', 'upgrade'];

export async function startHttpBox(targetPort: number, clerk: Clerk): Promise<Program> {
  const agent = new Agent({ keepAlive: true });
  let count = 0;
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method, url, headers } = request;
    const n = count;
    count += 1;
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const body = await buffer(request);
    const forward = (given = headers): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => {
        const to = { agent, host: '127.0.0.1', port: targetPort, method, path: url, headers: ofMessage(given) };
        const onward = send({ ...to, signal: gone.signal });
        onward.on('response', resolve);
        onward.on('error', reject);
        onward.end(body);
      });
    await clerk({ n, isPost: method === 'POST', headers, forward }, response);
  };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = async (): Promise<void> => {
    agent.destroy();
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { port: (server.address() as AddressInfo).port, stop };
}

/** What of the headers goes on. */
export function ofMessage(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_CONNECTION.includes(name)));
}

/** Passes the answer on as it comes. */
export function relay(answer: IncomingMessage, response: ServerResponse, headers = ofMessage(answer.headers)): void {
  response.writeHead(answer.statusCode ?? 502, headers);
  response.flushHeaders();
  pipeline(answer, response, () => {});
}
