/** Programs that stand before servers everywhere, as their manuals have them configured and as they come. */
import WebSocket from 'ws';
import { startApache } from '../intermediaries/apache.ts';
import { makeCertificate } from '../intermediaries/certificate.ts';
import { ForwardProxyClient } from '../intermediaries/forward-proxy-client.ts';
import { startHaproxy } from '../intermediaries/haproxy.ts';
import { Http2Fetch } from '../intermediaries/http2-fetch.ts';
import { type NginxOptions, startNginx, WEBSOCKET_CONFIGURED } from '../intermediaries/nginx.ts';
import { startSquid } from '../intermediaries/squid.ts';
import type { OriginServer } from '../origin-server.ts';
import { type Intermediary, type Situation, situation, TRAFFIC } from '../situation.ts';

/** Quiet for longer than the time-outs are. */
const IDLE = { ...TRAFFIC, quietMs: 4_500 };

export const PROGRAMS: readonly Situation[] = [
  situation({
    name: 'nginx with nothing but proxy_pass',
    start: ({ port }) => startNginx(port),
    settlesOn: 'stream',
  }),
  situation({
    name: 'nginx with WebSocket configured',
    start: ({ port }) => startNginx(port, WEBSOCKET_CONFIGURED),
    settlesOn: 'websocket',
  }),
  situation({
    name: 'nginx with proxy_read_timeout 3s, WebSocket configured',
    start: ({ port }) =>
      startNginx(port, {
        ...WEBSOCKET_CONFIGURED,
        location: `${WEBSOCKET_CONFIGURED.location} proxy_read_timeout 3s;`,
      }),
    traffic: IDLE,
  }),
  situation({
    name: 'nginx with proxy_read_timeout 3s and no WebSocket',
    start: ({ port }) => startNginx(port, { location: 'proxy_read_timeout 3s;' }),
    traffic: IDLE,
  }),
  situation({
    name: 'nginx that compresses streams',
    start: ({ port }) =>
      startNginx(port, {
        http: 'gzip_types text/event-stream application/octet-stream text/plain; gzip_min_length 1; gzip_proxied any;',
      }),
    settlesOn: 'stream',
  }),
  situation({
    name: 'nginx with TLS and HTTP/2',
    start: (server) => startSecureNginx(server),
    settlesOn: 'stream',
  }),
  situation({
    name: 'nginx with TLS and HTTP/2, WebSocket configured',
    start: (server) => startSecureNginx(server, WEBSOCKET_CONFIGURED),
    settlesOn: 'websocket',
  }),
  situation({
    name: 'HAProxy with time-outs of 3 s',
    start: ({ port }) => startHaproxy(port, 3),
    traffic: IDLE,
  }),
  situation({
    name: 'Apache with nothing but ProxyPass',
    start: ({ port }) => startApache(port),
    settlesOn: 'stream',
  }),
  situation({
    name: 'Apache with WebSocket configured',
    start: ({ port }) => startApache(port, 'upgrade=websocket'),
    settlesOn: 'websocket',
  }),
  situation({
    name: 'Squid, which every request of the client goes through',
    start: startForwardProxy,
    settlesOn: 'stream',
  }),
];

async function startSecureNginx({ port }: OriginServer, options: NginxOptions = {}): Promise<Intermediary> {
  const { ca, certFile, keyFile, remove } = await makeCertificate();
  const nginx = await startNginx(port, {
    ...options,
    listen: 'ssl http2',
    server: `ssl_certificate ${certFile}; ssl_certificate_key ${keyFile};`,
  });
  const http2 = new Http2Fetch(ca);
  class TrustingWebSocket extends WebSocket {
    constructor(url: string) {
      super(url, { ca });
    }
  }
  return {
    port: nginx.port,
    scheme: 'https',
    environment: { fetch: http2.fetch, WebSocket: TrustingWebSocket },
    stop: async () => {
      http2.close();
      await nginx.stop();
      await remove();
    },
  };
}

async function startForwardProxy({ port }: OriginServer): Promise<Intermediary> {
  const squid = await startSquid();
  const client = new ForwardProxyClient(squid.port);
  return {
    port,
    environment: { fetch: client.fetch, WebSocket: client.WebSocket },
    stop: async () => {
      client.close();
      await squid.stop();
    },
  };
}
