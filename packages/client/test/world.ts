/** A server, a network and clients in virtual time: the client's environment with nothing real in it. */
import {
  type AppUpFrame,
  type DownFrame,
  encodeFrame,
  type Identity,
  type Line,
  type PresenceEntry,
  type ServerApp,
  type ServerSession,
} from '@runnel/protocol';
import { Random, VirtualServer, VirtualTime } from '@runnel/protocol/testing';
import { type Client, type ClientOptions, createClient, type Environment } from '../src/index.ts';
import type { AppContract } from './app-contract.ts';
import { FakeWebSocket } from './fake-web-socket.ts';
import { turn } from './turn.ts';

type Session = ServerSession<Line, Identity>;

/** The time of day when the tests begin. */
export const EPOCH = 1_700_000_000_000;

export interface Request {
  readonly url: string;
  readonly init: RequestInit;
  /** The lines of the body, parsed. */
  readonly frames: readonly unknown[][];
}

export class World {
  readonly time: VirtualTime = new VirtualTime();
  readonly random: Random = new Random(7);
  readonly server: VirtualServer;
  /** What clients POSTed, in order. */
  readonly requests: Request[] = [];
  readonly sockets: FakeWebSocket[] = [];
  /** Application frames that the server was given. */
  readonly frames: AppUpFrame[] = [];
  /** Who is in which channel, by name, with its number and how many messages it has had. */
  readonly channels = new Map<string, { readonly n: number; offset: number; readonly sessions: Set<Session> }>();
  /** What a request is answered with; null: nothing. */
  answer: (frame: AppUpFrame & readonly [18, ...unknown[]]) => DownFrame | null = ([, id, , , data]) => [19, id, data];
  /** Who is present in any channel, as `subscribed` says. */
  members: readonly PresenceEntry[] = [];
  /** What follows `subscribed` at once, given the channel's number. */
  greeting: (n: number) => readonly DownFrame[] = () => [];
  /** Whether WebSockets get through. */
  webSockets = true;
  /** Whether anything does. */
  online = true;
  /** The wall clock is this much ahead of the monotonic one. */
  sleptMs = 0;
  /** What the client does on a wake-up event, and when the page goes. */
  wake: () => void = () => {};
  leave: () => void = () => {};
  /** How many watch the page. */
  watchers = 0;
  delayMs = 10;
  /** Whose application frame came last. */
  #last: Session | null = null;
  #ids = 0;

  constructor() {
    const app: ServerApp<Line, Identity> = {
      created: (session, subs, settled) => {
        for (const [id, name] of subs) this.subscribe(session, id, name);
        settled();
      },
      frame: (session, frame) => this.#handle(session, frame),
      confirmed: () => {},
      resumed: () => {},
      reachable: () => {},
      ended: (session) => {
        for (const { sessions } of this.channels.values()) sessions.delete(session);
      },
    };
    this.server = new VirtualServer({
      time: this.time,
      newId: () => this.#newId(),
      authMs: () => 0,
      app,
    });
  }

  get environment(): Environment {
    const world = this;
    return {
      fetch: (url, init) => this.#fetch(url, init),
      WebSocket: class extends FakeWebSocket {
        constructor(url: string) {
          super(url, world);
          world.sockets.push(this);
        }
      },
      loadWebSocket: () => Promise.reject(new Error('not asked for')),
      monotonicMs: () => this.time.now,
      wallMs: () => EPOCH + this.time.now + this.sleptMs,
      random: this.random.next,
      newId: () => this.#newId(),
      after: (ms, run) => this.time.after(ms, run),
      watch: ({ wake, leave }) => {
        this.wake = wake;
        this.leave = leave;
        this.watchers += 1;
        return () => {
          this.watchers -= 1;
        };
      },
    };
  }

  client(options: ClientOptions = {}): Client<AppContract> {
    const environment = { ...this.environment, ...options.environment };
    return createClient<AppContract>('https://example.test/realtime', { ...options, environment });
  }

  /** Lets `ms` of virtual time pass, and everything happen that is due. */
  async run(ms: number): Promise<void> {
    const until = this.time.now + ms;
    await turn();
    while (this.time.step(until)) await turn();
  }

  /** Lets time pass until `done`; fails after a virtual minute. */
  async until(done: () => boolean): Promise<void> {
    const until = this.time.now + 60_000;
    await turn();
    while (!done()) {
      if (!this.time.step(until)) throw new Error('it did not come to that');
      await turn();
    }
  }

  /** Broadcasts to a channel's subscribers. `event` is an index in the order of the contract. */
  broadcast(name: string, event: number, data: unknown, by?: string): void {
    const channel = this.channels.get(name);
    if (channel === undefined) throw new Error(`nobody has subscribed ${name}`);
    channel.offset += 1;
    const frame: DownFrame = [16, channel.n, channel.offset, event, data, by === undefined ? {} : { by }];
    this.server.turn(() => {
      for (const session of channel.sessions) send(session, frame);
    });
  }

  /** Sends frames to everyone in a channel. */
  tell(name: string, ...frames: ((n: number) => DownFrame)[]): void {
    const channel = this.channels.get(name);
    this.server.turn(() => {
      for (const session of channel?.sessions ?? []) for (const frame of frames) send(session, frame(channel?.n ?? 0));
    });
  }

  /** Sends frames to the session whose application frame came last, together. */
  reply(...frames: DownFrame[]): void {
    const session = this.#last;
    if (session === null) throw new Error('nobody has asked');
    this.server.turn(() => {
      for (const frame of frames) send(session, frame);
    });
  }

  /** All sessions are gone, as when the server is started anew; connections break. */
  restart(): void {
    this.server.restart();
    for (const socket of this.sockets) socket.break();
  }

  subscribe(session: Session, id: number, name: string): void {
    const channel = this.channels.get(name) ?? { n: this.channels.size + 1, offset: 0, sessions: new Set<Session>() };
    this.channels.set(name, channel);
    if (name.startsWith('secret')) {
      send(session, [20, id, 'forbidden', 'not for you', false]);
      return;
    }
    channel.sessions.add(session);
    const events = name.startsWith('ticker') ? ['quote'] : ['message', 'typing'];
    const { n, offset } = channel;
    const { members: presence } = this;
    send(session, [17, id, { n, epoch: 'e', offset, head: offset, recovered: null, events, presence }]);
    for (const frame of this.greeting(channel.n)) send(session, frame);
  }

  #handle(session: Session, frame: AppUpFrame): void {
    this.frames.push(frame);
    this.#last = session;
    switch (frame[0]) {
      case 28:
        this.subscribe(session, frame[1], frame[2]);
        break;
      case 29:
        this.channels.get(frame[1])?.sessions.delete(session);
        break;
      case 22:
        send(session, [19, frame[1]]);
        if (this.channels.has(frame[2]))
          this.time.after(0, () => this.broadcast(frame[2], 0, frame[4], session.client));
        break;
      case 18: {
        const answer = this.answer(frame);
        if (answer !== null) send(session, answer);
        break;
      }
    }
  }

  /** What a browser does: the answer is a stream that may be cut. */
  #fetch(url: string, init: RequestInit): Promise<Response> {
    const body = String(init.body);
    const frames = body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown[]);
    this.requests.push({ url, init, frames });
    return new Promise((resolve, reject) => {
      let gone = (): void => {};
      const failed = new TypeError('Failed to fetch');
      let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
      const stream = new ReadableStream<Uint8Array>({ start: (given) => (controller = given) });
      const response = new Response(stream);
      let over = false;
      const later = (run: () => void) =>
        this.time.after(this.delayMs, () => {
          if (!over) run();
        });
      init.signal?.addEventListener('abort', () => {
        over = true;
        reject(init.signal?.reason);
        controller?.error(init.signal?.reason);
        this.time.after(this.delayMs, gone);
      });
      later(() => {
        if (!this.online) {
          over = true;
          reject(failed);
          return;
        }
        gone = this.server.request(body, {
          lines: (lines) =>
            later(() => {
              resolve(response);
              controller?.enqueue(new TextEncoder().encode(`${lines.join('\n')}\n`));
            }),
          end: () =>
            later(() => {
              over = true;
              resolve(response);
              controller?.close();
            }),
        });
      });
    });
  }

  #newId(): string {
    this.#ids += 1;
    return `id${this.#ids}`;
  }
}

function send(session: Session, frame: DownFrame): void {
  const text = encodeFrame(frame);
  const line = { text, size: text.length + 1 };
  if (frame[0] < 16) session.sendLoose(line);
  else session.enqueue(line);
}
