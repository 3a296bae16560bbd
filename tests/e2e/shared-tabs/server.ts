/** An app behind HTTP/1.1 that lets no WebSocket through, and the pages that use it. */
import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { createServer, type RunnelServer, type ServerIdentity } from '@runnel/server';
import { build } from 'esbuild';
import { type Contract, contract } from './contract.ts';

export interface TabsServer {
  readonly url: string;
  readonly realtime: RunnelServer<Contract, ServerIdentity>;
  /** What clients have said: `<who> <n>`. */
  readonly said: string[];
  /** Sessions that there have been. */
  readonly sessions: string[];
  close(): Promise<void>;
}

async function bundle(): Promise<ReadonlyMap<string, string>> {
  const { outputFiles } = await build({
    absWorkingDir: import.meta.dirname,
    entryPoints: ['page.ts', 'worker.ts'],
    conditions: ['@runnel/source'],
    bundle: true,
    splitting: true,
    format: 'esm',
    outdir: '/',
    write: false,
  });
  return new Map(outputFiles.map(({ path, text }) => [path, text]));
}

/** Lets everything through but WebSockets. */
async function startFilter(port: number): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  const filter = createTcpServer((client) => {
    keep(client).once('data', (head) => {
      if (/^upgrade: websocket/im.test(head.toString('latin1'))) {
        client.destroy();
        return;
      }
      const upstream = keep(connect(port, '127.0.0.1'));
      upstream.write(head);
      client.pipe(upstream).pipe(client);
      client.on('close', () => upstream.destroy());
      upstream.on('close', () => client.destroy());
    });
  });
  await new Promise<void>((resolve) => filter.listen(0, '127.0.0.1', resolve));
  return {
    port: (filter.address() as AddressInfo).port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => filter.close(() => resolve()));
    },
  };
}

export async function startTabsServer(): Promise<TabsServer> {
  const files = await bundle();
  const said: string[] = [];
  const sessions: string[] = [];
  const realtime = createServer<Contract, ServerIdentity>({
    contract,
    authenticate: () => ({ id: 'ann' }),
    onSession: ({ client }) => void sessions.push(client),
  });
  realtime.handle('live', {
    open: true,
    publish: { say: ({ data: { from, n } }) => void said.push(`${from} ${n}`) },
    requests: { ask: ({ data }) => data },
  });
  realtime.handle('news', { open: true });
  const serve = realtime.middleware();
  const respond = (response: ServerResponse, type: string, text: string): void => {
    response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(text);
  };
  const http = createHttpServer((request, response) => {
    const path = (request.url ?? '/').replace(/\?.*/, '');
    const file = files.get(path);
    if (file !== undefined) respond(response, 'text/javascript', file);
    else if (path === '/')
      respond(response, 'text/html', '<!doctype html><script type="module" src="/page.js"></script>');
    else if (path === '/ping') respond(response, 'text/plain', 'pong');
    else serve(request, response, () => response.writeHead(404).end());
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const filter = await startFilter((http.address() as AddressInfo).port);
  return {
    url: `http://127.0.0.1:${filter.port}/`,
    realtime,
    said,
    sessions,
    close: async () => {
      await realtime.close();
      await filter.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
