/** One client goes through a situation: numbered messages both ways, and what became of them. */

import { inspect } from 'node:util';
import { type ClientOptions, type ConnectionState, createClient, type Transport } from '@runnel/client';
import { Arrivals, type Faults, numbered } from './arrivals.ts';
import type { Contract } from './contract.ts';
import { OriginServer } from './origin-server.ts';
import type { GauntletClient, Intermediary, Scene, Situation, Stage, Traffic } from './situation.ts';

/** How long anything may take that has to come in the end, ms. */
const PATIENCE_MS = 20_000;

/** Calls `close` when the test is over, whatever became of it; the last one first. */
export type Cleanup = (close: () => void | Promise<void> | undefined) => void;

export interface Crossing {
  /** From the client's making to its first message, ms; over a direct connection, and through the situation. */
  readonly directMs: number;
  readonly firstMs: number;
  /** The longest that a message has taken, ms. */
  readonly slowestMs: number;
  readonly sent: { readonly up: number; readonly down: number };
  readonly up: Faults;
  readonly down: Faults;
  /** Publishes that were rejected. */
  readonly rejected: readonly unknown[];
  /** Errors of the server. */
  readonly errors: readonly unknown[];
  readonly transport: Transport | null;
  readonly attaches: number;
}

export async function cross(situation: Situation, cleanup: Cleanup): Promise<Crossing> {
  const server = await OriginServer.start();
  let stage: Stage | null = null;
  // What stands between goes last: some programs wait for their connections when they end.
  cleanup(() => stage?.between.stop());
  cleanup(() => server.crash());
  stage = await situation.start(server);
  const { between, meanwhile: happen } = stage;
  const direct = new Party({ port: server.port });
  const directMs = await direct.first();
  direct.client.close();

  const party = new Party(between);
  cleanup(() => party.client.close());
  const firstMs = await party.first();
  const { client, down, rejected } = party;
  const { arrivals: up, errors } = server;
  const pacer = new Pacer(situation.traffic, party, server);
  // What is missing when that takes too long, the result says.
  const delivered = async (): Promise<void> => {
    await within(Promise.all([up.log.reach(party.sent), down.log.reach(server.sent), party.answered()]));
  };
  const scene: Scene = {
    ...{ client, server, delivered },
    publish: (length) => party.publish(length),
    reaches: (like) => party.reaches(like),
    settles: (on) => party.settles(on),
    arrived: async () => {
      const from = performance.now();
      const all = (async () => {
        if (situation.traffic.publishes) await up.after(from);
        await down.after(from);
      })();
      if (!(await within(all))) throw party.inVain('traffic arrived');
    },
    quietly: async (run) => {
      pacer.resting = true;
      await run();
      pacer.resting = false;
    },
  };
  const meanwhile = happen(scene);
  await Promise.all([pacer.talk(meanwhile), meanwhile]);
  await delivered();
  if (situation.settlesOn !== undefined) await party.settles(situation.settlesOn);

  const { counts, transport } = client.diagnose();
  const sent = { up: party.sent, down: server.sent };
  return {
    ...{ directMs, firstMs, sent, transport, rejected, errors },
    slowestMs: Math.max(up.slowestMs, down.slowestMs),
    up: up.faults(sent.up),
    down: down.faults(sent.down),
    attaches: counts.attaches,
  };
}

/** A client, what it sends and what has come to it. */
export class Party {
  readonly client: GauntletClient;
  readonly down = new Arrivals();
  readonly rejected: unknown[] = [];
  sent = 0;
  readonly #startedAt = performance.now();
  readonly #answers: Promise<void>[] = [];

  constructor({ port, scheme = 'http', environment }: Pick<Intermediary, 'port' | 'scheme' | 'environment'>) {
    const options: ClientOptions = environment === undefined ? {} : { environment };
    this.client = createClient<Contract>(`${scheme}://127.0.0.1:${port}/realtime`, options);
    this.client.channel('down', { rewind: 1 }).on('tick', this.down.add);
  }

  /** Resolves when the first message is there, with how long that took, ms; Infinity where it does not come. */
  async first(): Promise<number> {
    let firstMs = Number.POSITIVE_INFINITY;
    const reached = this.down.log.reach(1).then(() => {
      firstMs = performance.now() - this.#startedAt;
    });
    await within(reached);
    return firstMs;
  }

  publish(length: number): void {
    const answer = this.client.channel('up').publish('tick', numbered(this.sent, length), { timeoutMs: PATIENCE_MS });
    this.sent += 1;
    this.#answers.push(answer.catch((error: unknown) => void this.rejected.push(error)));
  }

  /** Resolves when each publish has its answer. */
  async answered(): Promise<void> {
    await Promise.all(this.#answers);
  }

  /** Resolves when the state is like this. */
  async reaches(like: (state: ConnectionState) => boolean): Promise<void> {
    let off = (): void => {};
    const done = new Promise<void>((resolve) => {
      const look = (state: ConnectionState): void => {
        if (like(state)) resolve();
      };
      off = this.client.onState(look);
      look(this.client.state);
    });
    const reached = await within(done);
    off();
    if (!reached) throw this.inVain(`${like}`);
  }

  /** What to say where something was waited for that has not come. */
  inVain(what: string): Error {
    return new Error(`In vain waited for: ${what}\n${inspect(this.client.diagnose(), { depth: 4 })}`);
  }

  settles(on: Transport): Promise<void> {
    return this.reaches((state) => state.status === 'open' && state.transport === on);
  }
}

/** Sends messages both ways, to the plan and for as long as something goes on. */
class Pacer {
  resting = false;
  readonly #traffic: Traffic;
  readonly #party: Party;
  readonly #server: OriginServer;

  constructor(traffic: Traffic, party: Party, server: OriginServer) {
    this.#traffic = traffic;
    this.#party = party;
    this.#server = server;
  }

  async talk(meanwhile: Promise<void>): Promise<void> {
    const { talkMs, quietMs, everyMs, length, publishes } = this.#traffic;
    let ongoing = true;
    const end = (): void => {
      ongoing = false;
    };
    meanwhile.then(end, end);
    const startedAt = performance.now();
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const passed = performance.now() - startedAt;
        if (passed >= 2 * talkMs + quietMs && !ongoing) {
          clearInterval(timer);
          resolve();
          return;
        }
        if (this.resting || (passed >= talkMs && passed < talkMs + quietMs)) return;
        if (publishes) this.#party.publish(length);
        void this.#server.broadcast(length);
      }, everyMs);
    });
  }
}

/** Resolves with the promise, or when that takes too long; true: it was in time. */
async function within(promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), PATIENCE_MS);
  });
  const inTime = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}
