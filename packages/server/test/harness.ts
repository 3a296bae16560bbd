/** Sessions and application without sockets: frames go in as objects and come out as objects. */
import {
  type Attach,
  type AttachSub,
  type Contract,
  compileContract,
  DEFAULT_LIMITS,
  type DownFrame,
  FragmentJoiner,
  type Limits,
  type LinkPort,
  readDown,
  readUp,
  type ServerLink,
  type ServerSession,
  SessionRegistry,
  TRANSPORTS,
  Type,
  type UpFrame,
} from '@runnel/protocol';
import { Application, type ApplicationOptions } from '../src/application.ts';
import type { Broker } from '../src/brokers/broker.ts';
import { type MemoryBrokerOptions, memoryBroker } from '../src/brokers/memory.ts';
import type { ErrorContext } from '../src/reporter.ts';
import type { ServerIdentity } from '../src/server.ts';
import { type SharedLine, sharedLine } from '../src/shared-line.ts';
import { contract } from './app-contract.ts';
import { turn, VirtualClock } from './virtual-clock.ts';

export interface TestUser extends ServerIdentity {
  readonly name?: string;
}

export interface HarnessOptions {
  readonly limits?: Partial<Limits>;
  readonly broker?: Broker;
  readonly latency?: MemoryBrokerOptions['latency'];
  readonly application?: Partial<ApplicationOptions<TestUser>>;
  /** Default: `app-contract.ts`. */
  readonly contract?: Contract<unknown>;
}

export interface ReportedError {
  readonly error: unknown;
  readonly context: ErrorContext;
}

export class Harness {
  readonly clock = new VirtualClock();
  readonly app: Application<TestUser>;
  readonly registry: SessionRegistry<SharedLine, TestUser>;
  readonly broker: Broker;
  readonly limits: Limits;
  readonly errors: ReportedError[] = [];
  #ids = 0;

  constructor(options: HarnessOptions = {}) {
    const { clock } = this;
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    const newId = (): string => `id${++this.#ids}`;
    this.broker =
      options.broker ??
      memoryBroker({
        clock,
        newId,
        dedupMs: this.limits.dedupMs,
        ...(options.latency && { latency: options.latency }),
      });
    this.app = new Application<TestUser>({
      contract: compileContract((options.contract ?? contract) as typeof contract),
      broker: this.broker,
      limits: this.limits,
      clock,
      reauthenticate: (auth) => (typeof auth === 'string' ? { id: auth } : null),
      onError: (error, context) => this.errors.push({ error, context }),
      ...options.application,
    });
    this.registry = new SessionRegistry<SharedLine, TestUser>({
      node: 'n1',
      limits: this.limits,
      transports: TRANSPORTS,
      sessionsMax: 1_000,
      settleMs: 1_000,
      app: this.app,
      now: () => clock.now(),
      newId,
      issueKey: (sid) => `key-${sid}`,
      readKey: (key) => ({ sid: key.slice(4), genuine: true }),
      line: sharedLine,
      onWork: () => setImmediate(() => this.registry.flush(clock.now())),
    });
  }

  /** A client with a session, whose welcome and first answers have come. */
  async connect(user: TestUser | string, subs: readonly AttachSub[] = []): Promise<TestClient> {
    const client = new TestClient(this, typeof user === 'string' ? { id: user } : user);
    client.attach({ subs });
    await turn();
    return client;
  }

  /** Lets what falls due by then happen, in the session core too. */
  async advance(ms: number): Promise<void> {
    const until = this.clock.now() + ms;
    for (let next = this.registry.nextTimeout(); next <= until; next = this.registry.nextTimeout()) {
      await this.clock.advance(Math.max(next - this.clock.now(), 0));
      this.registry.handleTimeout(this.clock.now());
    }
    await this.clock.advance(until - this.clock.now());
  }
}

let clients = 0;

/** A client's end of one session. It takes what comes and keeps it. */
export class TestClient {
  readonly cid: string = `cid${++clients}`;
  readonly frames: DownFrame[] = [];
  user: TestUser;
  /** Whether what is sent to it waits, as with a socket that does not drain. */
  congested = false;
  key: string | undefined;
  gen = 0;
  rx = 0;
  readonly #harness: Harness;
  #link: ServerLink<SharedLine, TestUser> | null = null;
  #joiner: FragmentJoiner;
  #lastId = 1_000;

  constructor(harness: Harness, user: TestUser) {
    this.#harness = harness;
    this.user = user;
    this.#joiner = new FragmentJoiner(4 * harness.limits.messageBytes);
  }

  get session(): ServerSession<SharedLine, TestUser> {
    const { session } = this.#link ?? {};
    if (session === null || session === undefined) throw new Error('not attached');
    return session;
  }

  attach({ subs = [] }: { readonly subs?: readonly AttachSub[] } = {}): void {
    const { registry, clock } = this.#harness;
    const link = registry.connect(this.#port(), clock.now());
    this.#link = link;
    this.gen += 1;
    const known = this.key === undefined ? {} : { key: this.key };
    const attach: Attach = { v: 1, cid: this.cid, gen: this.gen, rx: this.rx, mode: 'websocket', subs, ...known };
    registry.attach(attach, this.user, { link }, clock.now());
  }

  /** Loses the socket; the session goes on for its time to live. */
  cut(): void {
    this.#link?.handleClosed(this.#harness.clock.now());
  }

  /** Comes back on a new socket. */
  async resume(): Promise<void> {
    this.attach();
    await turn();
  }

  drain(): void {
    this.congested = false;
    this.#link?.handleDrain();
  }

  /** Acknowledges what was taken. */
  ack(): void {
    this.send([Type.ack, this.rx]);
  }

  send(frame: UpFrame): void {
    const line = JSON.stringify(frame);
    const read = readUp(line, this.#harness.limits);
    if (read !== null) this.#link?.handleFrame(read, line.length, this.#harness.clock.now());
  }

  subscribe(channel: string, options: { since?: { epoch: string; offset: number }; rewind?: number } = {}): number {
    const id = ++this.#lastId;
    this.send([Type.subscribe, id, channel, options]);
    return id;
  }

  publish(channel: string, event: string, data: unknown, key = `k${this.#lastId + 1}`): number {
    const id = ++this.#lastId;
    this.send([Type.publish, id, channel, event, data, key]);
    return id;
  }

  request(channel: string, method: string, data: unknown = null, timeoutMs?: number): number {
    const id = ++this.#lastId;
    this.send(
      timeoutMs === undefined
        ? [Type.request, id, channel, method, data]
        : [Type.request, id, channel, method, data, timeoutMs],
    );
    return id;
  }

  /** What answers `id`, all of it: more than one would be a mistake. */
  answers(id: number): DownFrame[] {
    return this.frames.filter(([type, of]) => type >= Type.subscribed && type <= Type.error && of === id);
  }

  /** The answer to `id`, once everything has run. */
  async answer(id: number): Promise<DownFrame> {
    await turn();
    const answers = this.answers(id);
    if (answers.length !== 1) throw new Error(`call ${id} has ${answers.length} answers`);
    return answers[0] as DownFrame;
  }

  /** The code that answers `id`; null for success. */
  async codeOf(id: number): Promise<string | null> {
    const answer = await this.answer(id);
    return answer[0] === Type.error ? answer[2] : null;
  }

  ofType<T extends DownFrame[0]>(type: T): Extract<DownFrame, readonly [T, ...unknown[]]>[] {
    return this.frames.filter((frame) => frame[0] === type) as Extract<DownFrame, readonly [T, ...unknown[]]>[];
  }

  /** The payloads of the messages, in the order in which they came. */
  get messages(): unknown[] {
    return this.ofType(Type.message).map(([, , , , data]) => data);
  }

  /** The offsets of the messages, likewise. */
  get offsets(): number[] {
    return this.ofType(Type.message).map(([, , offset]) => (typeof offset === 'number' ? offset : offset[0]));
  }

  #port(): LinkPort<SharedLine> {
    const isCongested = (): boolean => this.congested;
    const take = (text: string): void => this.#take(text);
    return {
      transport: 'websocket',
      get congested() {
        return isCongested();
      },
      write(lines) {
        for (const { text } of lines) take(text);
      },
      end() {},
    };
  }

  #take(text: string): void {
    const frame = readDown(text);
    if (frame === null) return;
    if (frame[0] === 0) this.key = frame[1].key;
    if (frame[0] >= 16) this.rx += 1;
    if (frame[0] !== Type.fragment) {
      this.frames.push(frame);
      return;
    }
    const joined = this.#joiner.push(frame);
    const whole = joined === null ? null : readDown(joined);
    if (whole !== null) this.frames.push(whole);
  }
}
