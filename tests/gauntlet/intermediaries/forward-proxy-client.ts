/** What a browser does that has been told of a proxy: it asks that for each `http:` URL, and for a tunnel to whatever else. */
import { Agent, type ClientRequest, type ClientRequestArgs, request as send } from 'node:http';
import { Duplex, Readable } from 'node:stream';
import WebSocket from 'ws';

export class ForwardProxyClient {
  readonly #host = '127.0.0.1';
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true });
  /** The same for who uses neither `fetch` nor this WebSocket. */
  readonly agents: { readonly http: Agent; readonly tunnel: Agent };

  constructor(port: number) {
    this.#port = port;
    const proxy = { host: this.#host, port };
    this.agents = { http: new RelayAgent(proxy), tunnel: new TunnelAgent(proxy) };
  }

  readonly fetch = (url: string, { headers, body, method = 'GET', signal }: RequestInit): Promise<Response> =>
    new Promise((resolve, reject) => {
      const request = send({
        ...{ agent: this.#agent, host: this.#host, port: this.#port, method, path: url },
        headers: { ...Object.fromEntries(new Headers(headers)), host: new URL(url).host },
        ...(signal ? { signal } : {}),
      });
      request.on('error', reject);
      request.on('response', (answer) => {
        const { statusCode: status = 502 } = answer;
        resolve(new Response(Readable.toWeb(answer) as ReadableStream, { status }));
      });
      request.end(body);
    });

  /** A class of WebSockets that are opened through a tunnel. */
  get WebSocket(): new (
    url: string,
  ) => WebSocket {
    const agent = new TunnelAgent({ host: this.#host, port: this.#port });
    return class extends WebSocket {
      constructor(url: string) {
        super(url, { agent });
      }
    };
  }

  close(): void {
    for (const agent of [this.#agent, this.agents.http, this.agents.tunnel]) agent.destroy();
  }
}

/** What `Agent` has beside what is documented, and what other agents for proxies rely on. */
interface RequestTaker {
  addRequest(request: ClientRequest, options: ClientRequestArgs): void;
}

class RelayAgent extends Agent {
  readonly #proxy: { readonly host: string; readonly port: number };

  constructor(proxy: { readonly host: string; readonly port: number }) {
    super();
    this.#proxy = proxy;
  }

  addRequest(request: ClientRequest, options: ClientRequestArgs): void {
    request.path = `http://${options.host}:${options.port}${request.path}`;
    const { addRequest } = Agent.prototype as unknown as RequestTaker;
    addRequest.call(this, request, { ...options, ...this.#proxy });
  }
}

class TunnelAgent extends Agent {
  readonly #proxy: { readonly host: string; readonly port: number };

  constructor(proxy: { readonly host: string; readonly port: number }) {
    super();
    this.#proxy = proxy;
  }

  override createConnection(
    { host, port }: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const request = send({ ...this.#proxy, method: 'CONNECT', path: `${host}:${port}` });
    request.on('error', (error) => callback?.(error, new Duplex()));
    request.on('connect', ({ statusCode }, socket) => {
      if (statusCode === 200) {
        callback?.(null, socket);
        return;
      }
      socket.destroy();
      callback?.(new Error(`the proxy answered ${statusCode} to CONNECT`), socket);
    });
    request.end();
  }
}
