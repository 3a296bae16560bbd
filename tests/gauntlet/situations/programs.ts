/** Programs that stand before servers everywhere, as their manuals have them configured and as they come. */
import WebSocket from 'ws';
import { startApache } from '../intermediaries/apache.ts';
import { makeCertificate } from '../intermediaries/certificate.ts';
import { ForwardProxyClient } from '../intermediaries/forward-proxy-client.ts';
import { startHaproxy } from '../intermediaries/haproxy.ts';
import { Http2Fetch } from '../intermediaries/http2-fetch.ts';
import { type NginxOptions, startNginx, WEBSOCKET_CONFIGURED } from '../intermediaries/nginx.ts';
import { startSquid } from '../intermediaries/squid.ts';
import { startVarnish } from '../intermediaries/varnish.ts';
import type { Origin } from '../origin.ts';
import { type Intermediary, type Situation, situation, TRAFFIC } from '../situation.ts';

/** Quiet for longer than the time-outs are. */
const IDLE = { ...TRAFFIC, quietMs: 4_500 };

const ON_STREAM = { settlesOn: 'stream', proves: ['poll', 'stream'] } as const;
const ON_WEBSOCKET = { settlesOn: 'websocket', proves: ['poll', 'websocket'] } as const;

/** Tries that fail before things get better. */
const FAILURES = 3;

/** TLS takes a round trip more, and so it does for the WebSocket beside; whatever comes on one connection counts as the cause of what goes up the other. */
const SECURE = { roundTripsMax: 6 };

export const PROGRAMS: readonly Situation[] = [
  situation({
    name: 'nginx with nothing but proxy_pass',
    start: ({ port }) => startNginx(port),
    ...ON_STREAM,
  }),
  situation({
    name: 'nginx with WebSocket configured',
    start: ({ port }) => startNginx(port, WEBSOCKET_CONFIGURED),
    ...ON_WEBSOCKET,
  }),
  situation({
    name: 'nginx with proxy_read_timeout 3s, WebSocket configured',
    start: ({ port }) =>
      startNginx(port, {
        ...WEBSOCKET_CONFIGURED,
        location: `${WEBSOCKET_CONFIGURED.location} proxy_read_timeout 3s;`,
      }),
    traffic: IDLE,
    ...ON_WEBSOCKET,
    attachesMax: 6,
  }),
  situation({
    name: 'nginx with proxy_read_timeout 3s and no WebSocket',
    start: ({ port }) => startNginx(port, { location: 'proxy_read_timeout 3s;' }),
    traffic: IDLE,
    proves: ['poll', 'stream'],
    attachesMax: 6,
  }),
  situation({
    name: 'nginx that compresses streams',
    start: ({ port }) => startNginx(port, { http: 'gzip_types *; gzip_min_length 1; gzip_proxied any;' }),
    ...ON_STREAM,
  }),
  situation({
    name: 'nginx that buffers whatever servers ask of it',
    start: ({ port }) => startNginx(port, { location: 'proxy_ignore_headers X-Accel-Buffering;' }),
    settlesOn: 'poll',
    proves: ['poll'],
  }),
  situation({
    name: 'nginx before two servers, one of which is down, that repeats POSTs (non_idempotent)',
    start: ({ port }) =>
      startNginx(port, {
        ...WEBSOCKET_CONFIGURED,
        http: `${WEBSOCKET_CONFIGURED.http} upstream both { server 127.0.0.1:1 max_fails=0; server 127.0.0.1:${port}; }`,
        location: `${WEBSOCKET_CONFIGURED.location} proxy_next_upstream error timeout non_idempotent;`,
        upstream: 'both',
      }),
    ...ON_WEBSOCKET,
  }),
  situation({
    name: 'nginx with WebSocket configured, whose server crashes and comes back',
    start: ({ port }) => startNginx(port, WEBSOCKET_CONFIGURED),
    settlesOn: 'websocket',
    strain: 'outage',
    attachesMax: 20,
    meanwhile: async ({ origin, settles, arrived, reaches, outageEnds }) => {
      await settles('websocket');
      await arrived();
      await origin.crash();
      await reaches(({ transport, failures }) => transport === null && failures >= FAILURES);
      await origin.restart();
      outageEnds();
      await arrived();
    },
  }),
  situation({
    name: 'nginx with TLS and HTTP/2',
    start: (origin) => startSecureNginx(origin),
    ...ON_STREAM,
    ...SECURE,
  }),
  situation({
    name: 'nginx with TLS and HTTP/2, WebSocket configured',
    start: (origin) => startSecureNginx(origin, WEBSOCKET_CONFIGURED),
    ...ON_WEBSOCKET,
    ...SECURE,
  }),
  situation({
    name: 'HAProxy with time-outs of 3 s',
    start: ({ port }) => startHaproxy(port, 3),
    traffic: IDLE,
    ...ON_WEBSOCKET,
    attachesMax: 6,
  }),
  situation({
    name: 'Apache with nothing but ProxyPass',
    start: ({ port }) => startApache(port),
    ...ON_STREAM,
  }),
  situation({
    name: 'Apache with WebSocket configured',
    start: ({ port }) => startApache(port, { parameters: 'upgrade=websocket' }),
    ...ON_WEBSOCKET,
  }),
  situation({
    name: 'Apache with mod_proxy_wstunnel',
    start: ({ port }) => startApache(port, { tunnel: true }),
    ...ON_WEBSOCKET,
  }),
  situation({
    name: 'Varnish with its built-in rules',
    start: ({ port }) => startVarnish(port),
    ...ON_STREAM,
  }),
  situation({
    name: 'Squid, which every request of the client goes through',
    forwardProxy: true,
    start: (origin) => startForwardProxy(origin, 'to port 443'),
    ...ON_STREAM,
  }),
  situation({
    name: 'Squid that tunnels anywhere',
    forwardProxy: true,
    start: (origin) => startForwardProxy(origin, 'anywhere'),
    ...ON_WEBSOCKET,
  }),
];

async function startSecureNginx({ port }: Origin, options: NginxOptions = {}): Promise<Intermediary> {
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
    ca,
    environment: { fetch: http2.fetch, WebSocket: TrustingWebSocket },
    stop: async () => {
      http2.close();
      await nginx.stop();
      await remove();
    },
  };
}

async function startForwardProxy({ port }: Origin, tunnels: 'to port 443' | 'anywhere'): Promise<Intermediary> {
  const squid = await startSquid(tunnels);
  const client = new ForwardProxyClient(squid.port);
  return {
    port,
    environment: { fetch: client.fetch, WebSocket: client.WebSocket },
    agents: client.agents,
    stop: async () => {
      client.close();
      await squid.stop();
    },
  };
}
