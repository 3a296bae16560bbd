import type { Transport } from '@runnel/client';
import type { Standing, Way } from './contenders/contender.ts';
import type { Origin } from './origin.ts';

/** What stands between client and server, and how to get to it. */
export interface Intermediary extends Pick<Way, 'port' | 'scheme' | 'environment' | 'ca' | 'agents'> {
  stop(): Promise<void>;
}

/** Numbered messages go both ways for a while, pause, and go on for as long again. */
export interface Traffic {
  readonly talkMs: number;
  readonly quietMs: number;
  readonly everyMs: number;
  /** Whether the client sends, too. */
  readonly publishes: boolean;
  /** UTF-16 units of each text. */
  readonly length: number;
}

/** The parties, while traffic goes on. */
export interface Scene {
  readonly origin: Origin;
  /** Sends the next message up. */
  publish(length: number): void;
  /** Resolves when `what` has happened, which `happened` says. */
  until(what: string, happened: Promise<unknown>): Promise<void>;
  /** Resolves when things stand like this for the client. */
  reaches(like: (standing: Standing) => boolean): Promise<void>;
  /** Resolves when this carries the session; it has to within `withinMs`. */
  settles(on: Transport, withinMs?: number): Promise<void>;
  /** Resolves when something has arrived in each direction of the traffic that was sent after this was called. */
  arrived(): Promise<void>;
  /** Resolves when everything has arrived, and was answered, that was sent before this was called. */
  delivered(): Promise<void>;
  /** Lets the traffic rest while `run` runs. */
  quietly(run: () => Promise<void>): Promise<void>;
  /** From here on things can arrive again; how long they take counts from now. */
  outageEnds(): void;
}

export type SceneWith<B extends Intermediary> = Scene & { readonly between: B };

/** What has been started for one situation. */
export interface Stage {
  readonly between: Intermediary;
  /** What happens meanwhile. Traffic lasts until it is over. */
  readonly meanwhile: (scene: Scene) => Promise<void>;
}

/** What befalls connections in a situation, and so how long a message may take in it. */
type Strain = keyof typeof SLOWEST_MS;

/** How long a message may take by our own promises, ms. */
const SLOWEST_MS = {
  /** Links last, or are cut cleanly. */
  cuts: 500,
  /** A transport goes silent without a word, and another works. */
  silence: 2_000,
  /** Every open connection dies without a word. */
  death: 4_000,
  /** The same, while the client only listens: a missing heartbeat shows after 10 s. */
  'unnoticed death': 12_000,
  /** Nothing passes for a while; counted from the end of that. */
  outage: 1_500,
} as const;

/** How much later than over a direct connection the first message may come by our own promise, ms. */
const FIRST_MS = 100;

/** Machines are noisy: what tests catch are time-outs, which are seconds. */
const NOISE_MS = 900;
const SLOWNESS_MS_MAX = 8_000;

export interface Situation {
  readonly name: string;
  /** What carries the session in the end, where that is certain. */
  readonly settlesOn: Transport | undefined;
  /** The transports that work, as a set, where that is certain. */
  readonly proves: readonly Transport[] | undefined;
  /** Transports that the client is kept to. */
  readonly pinned: readonly Transport[] | undefined;
  /** Attaches that may be sent in all. */
  readonly attachesMax: number;
  /** Round trips, one caused by the other, within which the first message is there. */
  readonly roundTripsMax: number;
  readonly strain: Strain;
  /** What the path itself takes, ms: of the first message beyond what that takes directly, and of the slowest. */
  readonly pathMs: { readonly first: number; readonly slowest: number };
  /** What a test insists on where the general bound, which is far more, would not show the fault; ms. */
  readonly slowestMsMax: number | undefined;
  readonly traffic: Traffic;
  /** Whether others can be put into it as well: not where it takes a clock or options that they do not have. */
  readonly forOthers: boolean;
  /** Whether it is a proxy that clients have to know of. */
  readonly forwardProxy: boolean;
  readonly start: (origin: Origin) => Promise<Stage>;
}

interface Told<B extends Intermediary> extends Partial<Omit<Situation, 'start'>> {
  readonly name: string;
  readonly start: (origin: Origin) => Promise<B>;
  readonly meanwhile?: (scene: SceneWith<B>) => Promise<void>;
}

export const TRAFFIC: Traffic = { talkMs: 1_500, quietMs: 500, everyMs: 50, publishes: true, length: 60 };

export function situation<B extends Intermediary>({ start, meanwhile, ...told }: Told<B>): Situation {
  return {
    ...{ settlesOn: undefined, proves: undefined, pinned: undefined },
    ...{
      attachesMax: 2,
      roundTripsMax: 3,
      strain: 'cuts',
      pathMs: { first: 0, slowest: 0 },
      slowestMsMax: undefined,
    },
    ...{ traffic: TRAFFIC, forOthers: told.pinned === undefined, forwardProxy: false },
    ...told,
    start: async (origin) => {
      const between = await start(origin);
      return { between, meanwhile: async (scene) => meanwhile?.({ ...scene, between }) };
    },
  };
}

/** Our promises for a situation, ms: how much later than directly the first message may be, and how long any may take. */
export function promises({ pathMs, strain }: Situation): { firstMs: number; slowestMs: number } {
  return { firstMs: FIRST_MS + pathMs.first, slowestMs: SLOWEST_MS[strain] + pathMs.slowest };
}

/** What a test insists on, whatever else its machine does. */
export function bounds(situation: Situation): { firstMs: number; slowestMs: number } {
  const { firstMs, slowestMs } = promises(situation);
  return {
    firstMs: firstMs + situation.pathMs.first + NOISE_MS,
    slowestMs: situation.slowestMsMax ?? Math.max(2 * slowestMs, SLOWNESS_MS_MAX),
  };
}
