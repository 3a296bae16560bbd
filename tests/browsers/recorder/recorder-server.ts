/** Serves the recorder's page, sends it numbers, takes its numbers, and knows every session. */
import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createServer, type RunnelServer, type ServerIdentity, type ServerOptions } from '@runnel/server';
import { build } from 'esbuild';
import { type Contract, contract } from './contract.ts';

const HTML = '<!doctype html><meta charset="utf-8"><title>Recorder</title><link rel="icon" href="data:,">';

let bundle: Promise<string> | null = null;

/** The page's script, from the client's source. */
async function script(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page.ts', import.meta.url))],
    conditions: ['@runnel/source'],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}

export class RecorderServer {
  /** Numbers from pages, as they came, by the name of their tab. */
  readonly numbers: Map<string, number[]> = new Map();
  /** Public names of sessions, as they began. */
  readonly begun: string[] = [];
  /** Names and codes of sessions that are over. */
  readonly ended: { readonly name: string; readonly code: string }[] = [];
  readonly realtime: RunnelServer<Contract, ServerIdentity>;
  readonly #http: Server;
  #sent = 0;

  private constructor(limits: ServerOptions<Contract, ServerIdentity>['limits']) {
    this.realtime = createServer<Contract, ServerIdentity>({
      contract,
      limits,
      authenticate: () => ({ id: 'ann' }),
      onSession: ({ client }) => this.begun.push(client),
      onSessionEnd: ({ client }, code) => this.ended.push({ name: client, code }),
    });
    this.realtime.handle('numbers', { open: true, publish: { tick: ({ data }) => this.#take(data.tab, data.n) } });
    this.#http = createHttpServer(async (request, response) => {
      bundle ??= script();
      if (request.url === '/page.js') response.setHeader('content-type', 'text/javascript').end(await bundle);
      else if (request.url === '/ping') response.end('pong');
      else {
        const recording = request.url !== '/elsewhere';
        response.setHeader('content-type', 'text/html');
        response.end(recording ? `${HTML}<script type="module" src="/page.js"></script>` : HTML);
      }
    });
    this.realtime.attach(this.#http);
  }

  static async start(limits: ServerOptions<Contract, ServerIdentity>['limits'] = {}): Promise<RecorderServer> {
    const server = new RecorderServer(limits);
    await new Promise<void>((resolve) => server.#http.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Numbers that were sent so far, from 0. */
  get sent(): readonly number[] {
    return Array.from({ length: this.#sent }, (_, n) => n);
  }

  /** Sends this many further numbers. */
  async send(count: number): Promise<void> {
    for (let i = 0; i < count; i += 1) {
      await this.realtime.channel('numbers').broadcast('tick', { n: this.#sent });
      this.#sent += 1;
    }
  }

  #take(tab: string, n: number): void {
    const numbers = this.numbers.get(tab) ?? [];
    this.numbers.set(tab, numbers);
    numbers.push(n);
  }

  async close(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    await this.realtime.close({ timeoutMs: 0 });
    this.#http.closeAllConnections();
    await ended;
  }
}
