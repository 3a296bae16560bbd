/** What to do about a path that is in the way: settings of the usual proxies, and what helps where nobody can change one. */

export const OVER_TLS =
  'Serve the page and the server over https: a proxy that cannot read a connection cannot break it.';

const EXEMPT = 'Where a company proxy, firewall or virus scanner inspects TLS: have this host exempted.';

export const LET_UPGRADE_PASS: readonly string[] = [
  'nginx: `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";`',
  'Apache 2.4.47 or later: `ProxyPass "/realtime" "http://127.0.0.1:3000/realtime" upgrade=websocket`',
  'HAProxy passes it in `mode http`; see that no rule drops the `Upgrade` header, and set `timeout tunnel 1h`.',
  'CDN or load balancer: WebSockets often have to be switched on (Cloudflare: Network, WebSockets; a classic AWS load balancer needs a TCP listener).',
  OVER_TLS,
  EXEMPT,
];

export const LET_FRAMES_PASS: readonly string[] = [
  OVER_TLS,
  EXEMPT,
  'nginx: `proxy_set_header Connection "upgrade";` together with `Upgrade`, so that the connection is passed through after its 101.',
  'HAProxy: `timeout tunnel 1h`',
];

export const LET_BODIES_STREAM: readonly string[] = [
  "nginx: `proxy_buffering off;`, or let Runnel's own `X-Accel-Buffering: no` count: no `proxy_ignore_headers X-Accel-Buffering`.",
  'Apache: `SetEnvIf Request_URI "^/realtime" no-gzip=1`, and `flushpackets=on` at `ProxyPass`.',
  'Varnish: `set beresp.do_stream = true;`, or `return (pipe)` for this path.',
  'HAProxy: no `compression` and no `option http-buffer-request` for this path.',
  'CDN: no caching, compression or transformation for this path; some buffer all answers, and then WebSocket is the way.',
  'Virus scanners that look into web pages hold bodies back too: https and an exemption help.',
];

export const LET_POSTS_PASS: readonly string[] = [
  'See that the proxy allows POST on this path, with bodies of 1.1 MB: nginx `client_max_body_size 2m;`.',
  'Firewalls for web applications: an exception for this path, whose bodies are `text/plain` lines of JSON.',
  OVER_TLS,
];

export const KEEP_QUIET_LINKS: readonly string[] = [
  'nginx: `proxy_read_timeout 1h; proxy_send_timeout 1h;`',
  'HAProxy: `timeout tunnel 1h`, and for streams and polls `timeout server 1h`.',
  'Load balancers: raise the idle timeout (AWS: 60 s by default) above the heartbeat of the server.',
];

export const SIGN_IN: readonly string[] = [
  'Open any http page in this browser: the network wants a sign-in, or its terms accepted.',
  'Behind a proxy of your own: see that this path is not routed to a page, an error page or a login.',
  OVER_TLS,
];

/** What HTTP statuses of others mean here. */
export const STATUS_MEANINGS: Readonly<Record<number, readonly [meaning: string, remedy: string]>> = {
  401: [
    'A proxy or a gate in front of the server wants a login of its own',
    'Let this path through without it, or send what it wants: `credentials: "include"`.',
  ],
  403: [
    'A firewall or rule in front of the server forbids it, or the server refuses the origin of this page',
    'List the page in `origins` of the server, and look for a rule that blocks this path.',
  ],
  404: [
    'Nothing answers on this path: the request was routed elsewhere, or the server is not attached there',
    'Compare the URL of the client with `path` of the server, and with what the proxy does to it.',
  ],
  405: ['Something in front of the server does not let POST through to this path', 'Allow POST on this path.'],
  407: ['The proxy of this network wants a login', 'Sign in to the proxy, or have this host exempted.'],
  413: ['A proxy finds the body too large', 'nginx: `client_max_body_size 2m;`'],
  426: [
    'A proxy has stripped the upgrade',
    'nginx: `proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";`',
  ],
  429: [
    'Something in front of the server limits the rate of requests',
    'Raise the limit for this path: polling takes a few requests a second in bad times.',
  ],
  502: [
    'The proxy is there, and the server behind it is not',
    'See whether the server runs, and on the port that the proxy has.',
  ],
  503: [
    'The proxy is there, and the server behind it is not, or is being deployed',
    'See whether the server runs; during a deploy this passes by itself.',
  ],
  504: [
    'The proxy waited for the server in vain, or for less time than a poll may take',
    'nginx: `proxy_read_timeout 1h;` HAProxy: `timeout server 1h`.',
  ],
  511: ['The network wants a sign-in', 'Open any http page in this browser, and sign in.'],
};
