/** Serves the page and the file that was built for it, from an origin of its own. */

import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { PageOptions } from './old-page.ts';

const page = readFileSync(join(import.meta.dirname, 'page.html'));

export class Site {
  readonly #http: Server;

  private constructor(http: Server) {
    this.#http = http;
  }

  static async start(script: string): Promise<Site> {
    const http = createServer(({ url = '' }, response) => {
      if (url === '/runnel.js') response.setHeader('content-type', 'text/javascript;charset=utf-8').end(script);
      else if (url.startsWith('/?')) response.setHeader('content-type', 'text/html').end(page);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    return new Site(http);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  pageUrl(options: PageOptions): string {
    return `${this.origin}/?${encodeURIComponent(JSON.stringify(options))}`;
  }

  async close(): Promise<void> {
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }
}
