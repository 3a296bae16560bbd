/** Clients that are kept to one transport, in situations where that can work. */

import { cutter, repeater } from '../intermediaries/clerks.ts';
import { startHaproxy } from '../intermediaries/haproxy.ts';
import { startHttpBox } from '../intermediaries/http-box.ts';
import { startNginx, WEBSOCKET_CONFIGURED } from '../intermediaries/nginx.ts';
import { startVarnish } from '../intermediaries/varnish.ts';
import { type Situation, situation, TRAFFIC } from '../situation.ts';
import { LONG, swallowPosts, through } from './middleboxes.ts';

const IDLE = { ...TRAFFIC, quietMs: 4_500 };

const only = <T extends 'websocket' | 'stream' | 'poll'>(transport: T) =>
  ({ pinned: [transport], proves: [transport], settlesOn: transport }) as const;

const reset = through({ opened: (passage) => void passage.after(2_000, () => passage.cut()) });
const silence = through({
  opened: (passage) =>
    void passage.after(2_000, () => {
      passage.silent = true;
    }),
});

export const PINNED: readonly Situation[] = [
  situation({
    name: 'poll alone, nginx that buffers whatever servers ask of it',
    start: ({ port }) => startNginx(port, { location: 'proxy_ignore_headers X-Accel-Buffering;' }),
    ...only('poll'),
    attachesMax: 1,
  }),
  situation({
    name: 'poll alone, HAProxy with time-outs of 3 s',
    start: ({ port }) => startHaproxy(port, 3),
    traffic: IDLE,
    ...only('poll'),
    attachesMax: 3,
  }),
  situation({
    name: 'poll alone, Varnish with its built-in rules',
    start: ({ port }) => startVarnish(port),
    ...only('poll'),
    attachesMax: 1,
  }),
  situation({
    name: 'poll alone, a proxy that repeats POSTs on another connection',
    start: ({ port }) => startHttpBox(port, repeater(7)),
    ...only('poll'),
    attachesMax: 8,
  }),
  situation({
    name: 'poll alone, connections that are reset after 2 s',
    start: reset,
    traffic: LONG,
    ...only('poll'),
    attachesMax: 8,
  }),
  situation({
    name: 'poll alone, connections that fall silent after 2 s',
    start: silence,
    traffic: LONG,
    strain: 'death',
    ...only('poll'),
    attachesMax: 10,
  }),
  situation({
    name: 'stream alone, nginx with nothing but proxy_pass',
    start: ({ port }) => startNginx(port),
    ...only('stream'),
    attachesMax: 1,
  }),
  situation({
    name: 'stream alone, Varnish with its built-in rules',
    start: ({ port }) => startVarnish(port),
    ...only('stream'),
    attachesMax: 1,
  }),
  situation({
    name: 'stream alone, a proxy that cuts answers after 2 s',
    start: ({ port }) => startHttpBox(port, cutter({ msMax: 2_000 })),
    traffic: LONG,
    ...only('stream'),
    attachesMax: 8,
  }),
  situation({
    name: 'stream alone, connections that fall silent after 2 s',
    start: silence,
    traffic: LONG,
    strain: 'death',
    ...only('stream'),
    attachesMax: 10,
  }),
  situation({
    name: 'WebSocket alone, nginx with WebSocket configured',
    start: ({ port }) => startNginx(port, WEBSOCKET_CONFIGURED),
    ...only('websocket'),
    roundTripsMax: 4,
    attachesMax: 1,
  }),
  situation({
    name: 'WebSocket alone, a box that swallows every POST',
    start: through(swallowPosts),
    ...only('websocket'),
    roundTripsMax: 4,
    attachesMax: 1,
  }),
  situation({
    name: 'WebSocket alone, connections that are reset after 2 s',
    start: reset,
    traffic: LONG,
    ...only('websocket'),
    roundTripsMax: 4,
    attachesMax: 8,
  }),
  situation({
    name: 'WebSocket alone, connections that fall silent after 2 s',
    start: silence,
    traffic: LONG,
    strain: 'death',
    ...only('websocket'),
    roundTripsMax: 4,
    attachesMax: 10,
  }),
];
