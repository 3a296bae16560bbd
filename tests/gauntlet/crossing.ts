/** One client goes through a situation: numbered messages both ways, and what became of them. */
import { FlightCounter } from '../support/flight-counter.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import type { Faults } from './arrivals.ts';
import type { Contender } from './contenders/contender.ts';
import { Origin } from './origin.ts';
import { Pacer } from './pacer.ts';
import { Party } from './party.ts';
import { within } from './patience.ts';
import type { Scene, Situation, Stage } from './situation.ts';

/** Whoever was not reached by then is not any more, ms. */
const FIRST_PATIENCE_MS = 20_000;

/** Calls `close` when it is over, whatever became of it; the last one first. */
type Cleanup = (close: () => void | Promise<void>) => void;

export interface Crossing {
  /** From the client's making to its first message, ms; over a direct connection, and through the situation. */
  readonly directMs: number;
  readonly firstMs: number;
  /** Round trips until then, one caused by the other, and connections that were opened. */
  readonly roundTrips: number;
  readonly connections: number;
  /** The longest that a message has taken, ms. */
  readonly slowestMs: number;
  readonly sent: { readonly up: number; readonly down: number };
  readonly up: Faults;
  readonly down: Faults;
  /** Publishes that were rejected. */
  readonly rejected: readonly unknown[];
  /** Errors of the server. */
  readonly errors: readonly unknown[];
  readonly transport: string | null;
  /** How often the session was attached; null where nobody counts that. */
  readonly attaches: number | null;
  /** The transports that have shown that they work; null as above. */
  readonly proven: readonly string[] | null;
  /** What the client says of it all. */
  readonly account: string;
}

export interface CrossingOptions {
  readonly situation: Situation;
  readonly contender: Contender;
  readonly cleanup: Cleanup;
  /** How long anything may take that has to come in the end, ms. */
  readonly patienceMs: number;
  /** How long the situation waits for something that may not happen, ms; undefined: it has to. */
  readonly leniencyMs?: number;
}

export async function cross(options: CrossingOptions): Promise<Crossing> {
  const { situation, contender, cleanup, patienceMs } = options;
  const { pinned: transports, traffic } = situation;
  const origin = await Origin.start(contender);
  let stage: Stage | null = null;
  // What stands between goes last: some programs wait for their connections when they end.
  cleanup(() => stage?.between.stop());
  cleanup(() => origin.crash());
  stage = await situation.start(origin);
  const { between, meanwhile: happen } = stage;
  const direct = new Party({ contender, patienceMs, way: { port: origin.port, transports } });
  const directMs = await direct.first(patienceMs);
  direct.visitor.close();

  // Where the client's connections come in, and nothing is done to them.
  const counter = new FlightCounter();
  const entrance = await TcpProxy.start(between.port);
  entrance.observer = counter;
  cleanup(() => entrance.close());
  let cost = { roundTrips: 0, connections: 0 };
  const onFirst = (): void => {
    cost = { roundTrips: counter.roundTrips, connections: entrance.accepted };
  };
  const way = { ...between, port: entrance.port, transports };
  const party = new Party({ contender, patienceMs, way, onFirst });
  cleanup(() => party.visitor.close());
  const pacer = new Pacer(traffic, party, origin);
  const meanwhile = happen(sceneOf(options, { origin, party, pacer }));
  // Whoever awaits it comes later.
  meanwhile.catch(() => {});
  const firstMs = await party.first(Math.min(patienceMs, FIRST_PATIENCE_MS));
  await Promise.all([pacer.talk(meanwhile), meanwhile]);
  // Who was not reached at all is not waited for again.
  if (Number.isFinite(firstMs)) await within(patienceMs, delivered(party, origin));
  if (situation.settlesOn !== undefined && options.leniencyMs === undefined) {
    await party.reaches(({ transport }) => transport === situation.settlesOn);
  }

  const { visitor, down, rejected } = party;
  const facts = visitor.facts();
  const sent = { up: party.sent, down: origin.sent };
  return {
    ...{ directMs, firstMs, ...cost, sent, rejected, errors: origin.errors },
    slowestMs: Math.max(origin.arrivals.slowestMs, down.slowestMs),
    up: origin.arrivals.faults(sent.up),
    down: down.faults(sent.down),
    transport: visitor.standing.transport,
    attaches: facts?.attaches ?? null,
    proven: facts === null ? null : [...facts.proven].sort(),
    account: visitor.describe(),
  };
}

interface Parties {
  readonly origin: Origin;
  readonly party: Party;
  readonly pacer: Pacer;
}

/** What is missing when that takes too long, the result says. */
async function delivered(party: Party, origin: Origin): Promise<void> {
  await Promise.all([origin.arrivals.log.reach(party.sent), party.down.log.reach(origin.sent), party.answered()]);
}

function sceneOf({ situation, patienceMs, leniencyMs }: CrossingOptions, { origin, party, pacer }: Parties): Scene {
  const waitMs = leniencyMs ?? patienceMs;
  const until = async (what: string, happened: Promise<unknown>, ms = waitMs): Promise<void> => {
    if ((await within(Math.min(ms, waitMs), happened)) || leniencyMs !== undefined) return;
    throw new Error(`In vain waited until ${what}\n${party.visitor.describe()}`);
  };
  const reaches: Scene['reaches'] = (like) => until(`${like}`, party.reaches(like));
  return {
    ...{ origin, reaches },
    until: (what, happened) => until(what, happened),
    publish: (length) => party.publish(length),
    settles: (on, withinMs) =>
      until(
        `${on} carries the session`,
        party.reaches(({ transport }) => transport === on),
        withinMs,
      ),
    delivered: async () => void (await within(waitMs, delivered(party, origin))),
    arrived: () => {
      const from = performance.now();
      const all = [party.down.after(from), ...(situation.traffic.publishes ? [origin.arrivals.after(from)] : [])];
      return until('traffic arrived', Promise.all(all));
    },
    quietly: async (run) => {
      pacer.resting = true;
      await run();
      pacer.resting = false;
    },
    outageEnds: () => {
      party.down.endOutage();
      origin.arrivals.endOutage();
    },
  };
}
