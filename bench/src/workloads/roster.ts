import { browser } from './browser.ts';
import { compression } from './compression.ts';
import { fanOut } from './fan-out.ts';
import { flood } from './flood.ts';
import { growth } from './growth.ts';
import { heartbeats } from './heartbeats.ts';
import { history } from './history.ts';
import { hop } from './hop.ts';
import { idle } from './idle.ts';
import { largeFanOut } from './large-fan-out.ts';
import { polls } from './polls.ts';
import { publishes } from './publishes.ts';
import { requests } from './requests.ts';
import { rooms } from './rooms.ts';
import { storm } from './storm.ts';
import { streams } from './streams.ts';
import type { Workload } from './workload.ts';

/** In the order in which they run and are reported. */
export const workloads: readonly Workload[] = [
  fanOut,
  largeFanOut,
  rooms,
  flood,
  requests,
  publishes,
  streams,
  polls,
  idle,
  storm,
  heartbeats,
  history,
  compression,
  hop,
  growth,
  browser,
];
