/** A server with handlers for everything that the contract declares. What they do can be changed by each test. */
import {
  type AuthenticateContext,
  type Broker,
  createServer,
  type ErrorContext,
  memoryBroker,
  type PublishContext,
  type RequestContext,
  type RunnelServer,
  type ServerIdentity,
  type ServerOptions,
  type SessionInfo,
} from '@runnel/server';
import { onTestFinished } from 'vitest';
import { Collector } from '../support/collector.ts';
import { condition } from '../support/condition.ts';
import { ElasticClock } from '../support/elastic-clock.ts';
import { lasting } from '../support/lasting-broker.ts';
import { MortalHttpServer } from '../support/mortal-http-server.ts';
import { type Contract, contract } from './contract.ts';

export interface User extends ServerIdentity {
  readonly name: string;
  /** What this user may not do: actions, as `authorize` knows them. */
  readonly forbidden: readonly string[];
}

type MessageContext = PublishContext<Contract, 'room/:roomId', 'message', User>;
type NumberContext = PublishContext<Contract, 'live/:id', 'tick', User>;
type CountContext = RequestContext<Contract, 'room/:roomId', 'count', User>;
type AskContext = RequestContext<Contract, 'room/:roomId', 'ask', User>;

export interface TestServerOptions
  extends Pick<ServerOptions<Contract, User>, 'cors' | 'limits' | 'origins' | 'sessionsMax' | 'transports'> {
  /** Default: `auth.user` names the user. */
  readonly authenticate?: (context: AuthenticateContext) => User | null | Promise<User | null>;
  /** Whether the test leaves sessions behind, so that none of them is missed at the end. */
  readonly leavesSessions?: boolean;
}

/** A session that is over, and why. */
export interface EndedSession {
  readonly client: string;
  readonly user: User;
  readonly code: string;
}

export const userNamed = (id: string, forbidden: readonly string[] = []): User => ({
  id,
  name: id.toUpperCase(),
  forbidden,
});

export class TestServer {
  readonly errors = new Collector<{ readonly error: unknown; readonly context: ErrorContext }>();
  readonly ended = new Collector<EndedSession>();
  readonly sessions = new Collector<SessionInfo<User>>();
  readonly clock = new ElasticClock();
  /** What the handler of a room's `message` does. Default: broadcasts it. */
  onMessage: (context: MessageContext) => unknown = ({ channel, data }) => void channel.broadcast('message', data);
  /** What the handler of a `live` channel's `tick` does. Default: nothing. */
  onTick: (context: NumberContext) => unknown = () => {};
  /** What the handler of a room's `ask` does. Default: gives back what it was asked. */
  onAsk: (context: AskContext) => unknown = ({ data }) => data;
  /** What the handler of a room's `count` does. Default: counts. */
  onCount: (context: CountContext) => AsyncGenerator<number, string> = async function* ({ data }) {
    for (let n = 1; n <= data.to; n += 1) yield n;
    return 'done';
  };
  /** What the handler of a room's `look` does. */
  onLook: () => string | Promise<string> = () => 'seen';
  /** What boards hold; read whenever a snapshot is. */
  board: () => Record<string, unknown> | Promise<Record<string, unknown>> = () => ({});
  /** Who came to a channel and who left it, and why: `ann > room/lobby`, `ann < room/lobby unsubscribed`. */
  readonly visits = new Collector<string>();
  /** What nudges have said. */
  readonly nudges = new Collector<string>();
  realtime: RunnelServer<Contract, User>;
  readonly #options: TestServerOptions;
  /** Outlives the server, so that a restart finds its logs. */
  readonly #broker: Broker;
  readonly #http = new MortalHttpServer();

  private constructor(options: TestServerOptions) {
    this.#options = options;
    this.#broker = lasting(memoryBroker({ clock: this.clock }));
    this.realtime = this.#create();
  }

  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const server = new TestServer(options);
    await server.#listen();
    onTestFinished(() => server.#finish());
    return server;
  }

  get port(): number {
    return this.#http.port;
  }
  get url(): string {
    return `http://127.0.0.1:${this.port}/realtime`;
  }

  /** The process dies: no goodbye, no memory of sessions. */
  async crash(): Promise<void> {
    await this.#http.crash();
    await this.realtime.close({ timeoutMs: 0 });
  }

  /** Says goodbye to everybody and goes. */
  async stop(options: { readonly retryMs?: number } = {}): Promise<void> {
    await this.realtime.close(options);
    await this.#http.close();
  }

  /** Is there again after `crash` or `stop`, on the same port. */
  async restart(): Promise<void> {
    this.realtime = this.#create();
    await this.#listen();
  }

  /** Lets time pass until a session without a link is over. */
  async expire(ttlMs: number, client?: string): Promise<void> {
    const isOver = (): boolean => this.ended.items.some((ended) => client === undefined || ended.client === client);
    await condition('the session is over', () => {
      this.clock.leap(ttlMs);
      return isOver();
    });
  }

  /** Lets time pass, little by little, until something has come of it. */
  async pass(what: string, holds: () => boolean): Promise<void> {
    await condition(what, () => {
      if (!holds()) this.clock.leap(500);
      return holds();
    });
  }

  /** The session that was there first. */
  async firstSession(): Promise<SessionInfo<User>> {
    return (await this.sessions.count(1))[0] as SessionInfo<User>;
  }

  #create(): RunnelServer<Contract, User> {
    const { authenticate = ({ auth }) => userNamed((auth as { user?: string } | undefined)?.user ?? 'guest') } =
      this.#options;
    const { limits, origins, cors, sessionsMax, transports } = this.#options;
    const realtime = createServer<Contract, User>({
      contract,
      authenticate,
      ...{ limits, origins, cors, sessionsMax, transports },
      broker: this.#broker,
      clock: this.clock,
      onError: (error, context) => this.errors.push({ error, context }),
      onSession: (session) => this.sessions.push(session),
      onSessionEnd: ({ client, user }, code) => this.ended.push({ client, user, code }),
    });
    const authorize = ({ user, action }: { readonly user: User; readonly action: string }): boolean =>
      !user.forbidden.includes(action);
    realtime.handle('room/:roomId', {
      authorize,
      publish: {
        message: (context) => this.onMessage(context),
        nudge: ({ data }) => this.nudges.push(data),
      },
      requests: {
        ask: (context) => this.onAsk(context),
        wake: () => {},
        count: (context) => this.onCount(context),
        look: () => this.onLook(),
      },
      presence: ({ user, data }) => ({ mood: data.mood, name: user.name }),
      onSubscribe: ({ user, channel }) => this.visits.push(`${user.id} > ${channel.name}`),
      onLeave: ({ user, channel, reason }) => this.visits.push(`${user.id} < ${channel.name} ${reason}`),
    });
    realtime.handle('board/:id', { open: true, snapshot: () => this.board() });
    realtime.handle('feed/:id', { open: true });
    realtime.handle('short/:id', { open: true });
    realtime.handle('live/:id', { open: true, publish: { tick: (context) => this.onTick(context) } });
    realtime.handle('user/:userId', {
      authorize: ({ user, params }) => user.id === params.userId,
      requests: { secret: ({ user }) => `${user.name}'s` },
    });
    return realtime;
  }

  #listen(): Promise<void> {
    return this.#http.listen((http) => this.realtime.attach(http));
  }

  /** Resolves when no session and no link is left; a server that leaves sessions behind has its own ways. */
  async emptied(): Promise<void> {
    if (this.#options.leavesSessions === true) return;
    await condition(
      () => `nothing is left of ${JSON.stringify(this.realtime.stats())}`,
      () => {
        const { sessions, links } = this.realtime.stats();
        return sessions === 0 && links === 0;
      },
    );
  }

  /** Clients have closed by now: nothing of them may be left. */
  async #finish(): Promise<void> {
    await this.emptied();
    await this.stop();
    const { sessions, links, subscriptions, calls } = this.realtime.stats();
    const left = sessions + links + subscriptions + calls;
    if (left > 0) throw new Error(`The server is closed and not empty: ${JSON.stringify(this.realtime.stats())}`);
  }
}
