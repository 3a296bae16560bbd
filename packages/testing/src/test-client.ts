import { type Client, type ClientOptions, createClient } from '@runnel/client';
import type { Contract, Transport } from '@runnel/protocol';
import type { RunnelServer, ServerIdentity } from '@runnel/server';
import { TestNetwork } from './test-network.ts';

/** Those of a client, but for what has no meaning within a process. */
export interface TestClientOptions<I extends ServerIdentity>
  extends Omit<ClientOptions, 'transports' | 'credentials' | 'environment'> {
  /** Who it is: `authenticate` is not asked. Default: `authenticate` is, with `auth` and `headers`. */
  readonly user?: I;
  /** Default: `['stream']`. There is no WebSocket without a port. */
  readonly transports?: readonly Exclude<Transport, 'websocket'>[];
}

/** What a test can do to the network between a client and its server. */
export interface TestControls {
  /** Breaks the connection, and lets the next one through: the client comes back by itself within a few ms, and resumes its session. */
  cut(): void;
  /** Breaks the connection, and lets nothing through until `goOnline()`. */
  goOffline(): void;
  /** Lets everything through again; the client tries at once. */
  goOnline(): void;
  /** Closes the client, and resolves when the server has heard of it. For `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A client like any other, and the network before it. */
export type TestClient<C extends Contract<C>> = Client<C> & TestControls;

/** Nothing is looked up, and a handler behind `fetch` does not look at its path. */
const URL_OF_NOWHERE = 'http://runnel.test/realtime';
/** Where a client waits "anywhere between nothing and t" it waits for this part of t: short, and always the same. */
const RANDOM = 0.02;

/**
 * Connects a client to a server in the same process, which needs no port: sessions, validation, `authorize` and handlers are the real ones. Several clients,
 * of one user or of many, may be connected to one server.
 *
 * @example
 * const alice = createTestClient(realtime, { user: { id: 'alice' } });
 * await alice.channel('room/:roomId', { roomId: 'lobby' }).publish('message', { text: 'hi' });
 */
export function createTestClient<C extends Contract<C>, I extends ServerIdentity>(
  realtime: RunnelServer<C, I>,
  { user, transports = ['stream'], ...options }: TestClientOptions<I> = {},
): TestClient<C> {
  const network = new TestNetwork((request) =>
    user === undefined ? realtime.fetchHandler(request) : realtime.fetchAs(user, request),
  );
  /** Set by the client while it is not closed. */
  let wake = (): void => {};
  const client = createClient<C>(URL_OF_NOWHERE, {
    ...options,
    transports,
    environment: {
      fetch: network.fetch,
      WebSocket: null,
      loadWebSocket: () => Promise.reject(new Error('there is no WebSocket without a port')),
      random: () => RANDOM,
      watch: (page) => {
        wake = page.wake;
        return () => {
          wake = () => {};
        };
      },
    },
  });
  const controls: TestControls = {
    cut: () => network.cut(),
    goOffline: () => network.turnOff(),
    goOnline: () => {
      network.turnOn();
      wake();
    },
    [Symbol.asyncDispose]: async () => {
      client.close();
      await network.quiet();
    },
  };
  return Object.assign(client, controls);
}
