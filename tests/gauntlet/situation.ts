import type { Client, ConnectionState, Environment, Transport } from '@runnel/client';
import type { Contract } from './contract.ts';
import type { OriginServer } from './origin-server.ts';

export type GauntletClient = Client<Contract>;

/** What stands between client and server, and how to get to it. */
export interface Intermediary {
  readonly port: number;
  /** Default: `http`. */
  readonly scheme?: 'http' | 'https';
  /** What a client needs that would go through it. */
  readonly environment?: Partial<Environment>;
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
  readonly client: GauntletClient;
  readonly server: OriginServer;
  /** Sends the next message up. */
  publish(length: number): void;
  /** Resolves when the client's state is like this. */
  reaches(like: (state: ConnectionState) => boolean): Promise<void>;
  settles(on: Transport): Promise<void>;
  /** Resolves when something has arrived in each direction of the traffic that was sent after this was called. */
  arrived(): Promise<void>;
  /** Resolves when everything has arrived, and was answered, that was sent before this was called. */
  delivered(): Promise<void>;
  /** Lets the traffic rest while `run` runs. */
  quietly(run: () => Promise<void>): Promise<void>;
}

export type SceneWith<B extends Intermediary> = Scene & { readonly between: B };

/** What has been started for one situation. */
export interface Stage {
  readonly between: Intermediary;
  /** What happens meanwhile. Traffic lasts until it is over. */
  readonly meanwhile: (scene: Scene) => Promise<void>;
}

interface Expectations {
  /** What carries the session in the end, where that is certain. */
  readonly settlesOn?: Transport;
  /** How much later than over a direct connection the first message may be, ms. */
  readonly lateMsMax: number;
  /** How long any message may take, ms. */
  readonly slowestMsMax: number;
  readonly traffic: Traffic;
}

export interface Situation extends Expectations {
  readonly name: string;
  readonly start: (server: OriginServer) => Promise<Stage>;
}

interface Told<B extends Intermediary> extends Partial<Expectations> {
  readonly name: string;
  readonly start: (server: OriginServer) => Promise<B>;
  readonly meanwhile?: (scene: SceneWith<B>) => Promise<void>;
}

/** Machines are noisy: what is to be caught are time-outs, which are seconds. */
export const LATE_MS_MAX = 1_000;
const SLOWEST_MS_MAX = 8_000;
export const TRAFFIC: Traffic = { talkMs: 1_500, quietMs: 500, everyMs: 50, publishes: true, length: 60 };

export function situation<B extends Intermediary>({ start, meanwhile, ...told }: Told<B>): Situation {
  return {
    lateMsMax: LATE_MS_MAX,
    slowestMsMax: SLOWEST_MS_MAX,
    traffic: TRAFFIC,
    ...told,
    start: async (server) => {
      const between = await start(server);
      return { between, meanwhile: async (scene) => meanwhile?.({ ...scene, between }) };
    },
  };
}
