/** Real servers, real clients, and what may stand between them. Everything is closed, in the right order, when its test has finished. */
import { type Client, type ClientOptions, createClient, type Transport } from '@runnel/client';
import { onTestFinished } from 'vitest';
import { Collector } from '../support/collector.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import type { Contract } from './contract.ts';
import type { TestServer } from './test-server.ts';

export { Collector, gate } from '../support/collector.ts';
export { condition } from '../support/condition.ts';
export { IN_ORDER, OrderedLog } from '../support/ordered-log.ts';
export { TcpProxy } from '../support/tcp-proxy.ts';
export { TestServer, type TestServerOptions, userNamed } from './test-server.ts';

export type TestClient = Client<Contract>;
export type Room = ReturnType<typeof roomOf>;

/** What every behaviour is shown over. Each case pins one transport, but for the last, which is what an app gets by default. */
export const TRANSPORT_CASES: readonly (readonly [over: string, transports: readonly Transport[]])[] = [
  ['websocket', ['websocket']],
  ['stream', ['stream']],
  ['poll', ['poll']],
  ['the default transports', ['websocket', 'stream', 'poll']],
];

export interface ConnectOptions extends ClientOptions {
  /** Who it is, unless `auth` says so. Default: `ann`. */
  readonly user?: string;
}

/** A client of a server, or of a proxy before it. */
export function connect({ port }: { readonly port: number }, options: ConnectOptions = {}): TestClient {
  const { user = 'ann', environment, ...rest } = options;
  const client = createClient<Contract>(`http://127.0.0.1:${port}/realtime`, {
    auth: { user },
    ...rest,
    // Full jitter would be pauses of any length. These are short, and always the same.
    environment: { random: () => 0.05, ...environment },
  });
  onTestFinished(() => client.close());
  return client;
}

/** A proxy before a server. It stays until the goodbyes of the clients have passed. */
export async function startProxy(server: TestServer): Promise<TcpProxy> {
  const proxy = await TcpProxy.start(server.port);
  onTestFinished(async () => {
    await server.emptied();
    await proxy.close();
  });
  return proxy;
}

export function roomOf(client: TestClient, roomId = 'lobby', options: { readonly rewind?: number } = {}) {
  return client.channel('room/:roomId', { roomId }, options);
}

/** What comes to a handler: the payload and how it came. */
export interface Received<T> {
  readonly data: T;
  readonly self: boolean;
  readonly by: string | null;
  readonly offset: number | null;
  readonly id: string | null;
  readonly recovered: boolean;
}

type On<T> = (data: T, meta: Omit<Received<T>, 'data'>) => void;

/** Collects what `on` hands out: `collect((push) => room.on('message', push))`. */
export function collect<T>(on: (handler: On<T>) => unknown): Collector<Received<T>> {
  const collector = new Collector<Received<T>>();
  on((data, { self, by, offset, id, recovered }) => collector.push({ data, self, by, offset, id, recovered }));
  return collector;
}

/** The texts of a room's messages, as they come. */
export function textsOf(room: Room): Collector<string> {
  const texts = new Collector<string>();
  room.on('message', ({ text }) => texts.push(text));
  return texts;
}

/** Collects the states of a client or a channel, the present one first. */
export function statesOf<S>(of: { readonly state: S; onState(handler: (state: S) => void): () => void }): Collector<S> {
  const states = new Collector<S>();
  states.push(of.state);
  of.onState(states.push);
  return states;
}

/** Waits until the best of the transports is in use: what is volatile may be lost on the way there. */
export async function settled(client: TestClient, [best]: readonly Transport[]): Promise<void> {
  await statesOf(client).find((state) => state.status === 'open' && state.transport === best);
}

/** How a promise rejects. */
export async function failureOf(promise: Promise<unknown>): Promise<{ code: string; message: string; data: unknown }> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!('error' in outcome)) throw new Error(`It did not fail, but resolved with ${JSON.stringify(outcome.value)}.`);
  return outcome.error as { code: string; message: string; data: unknown };
}
