// What every example has in common: a page, its script, and Runnel on one HTTP server. In an app of your own this is Vite, Next or what you have.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import express from 'express';

interface Realtime {
  attach(server: Server): unknown;
  close(): Promise<void>;
}

/** Serves the example in the folder of the module `from`, on `PORT` or 3000, until SIGINT or SIGTERM. `app` may have routes of its own. */
export async function serve(realtime: Realtime, from: string, app = express()): Promise<void> {
  const file = (name: string) => fileURLToPath(new URL(name, from));
  const [script] = (
    await build({
      stdin: { contents: 'import "./client"', resolveDir: file('.') },
      bundle: true,
      write: false,
      format: 'esm',
      jsx: 'automatic',
      conditions: ['@runnel/source'],
      define: { 'process.env.NODE_ENV': '"production"' },
    })
  ).outputFiles;
  app.get('/', (_, response) => response.sendFile(file('index.html')));
  app.get('/style.css', (_, response) => response.sendFile(file('../style.css')));
  app.get('/client.js', (_, response) => response.type('js').send(script?.text));
  const server = createServer(app);
  // Longer than heartbeats are apart: clients over streams answer each by a POST.
  server.keepAliveTimeout = 65_000;
  realtime.attach(server);
  await new Promise<void>((resolve) => server.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', resolve));
  console.log(`Open http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const stop = async () => {
    await realtime.close();
    server.close();
    server.closeAllConnections();
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
}
