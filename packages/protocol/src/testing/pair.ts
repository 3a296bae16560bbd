/** A client and a server session over a virtual network, with an application at each end that sends numbered frames. */
import type { Limits } from '../limits.ts';
import { ClientSession } from '../session/client/client-session.ts';
import type { Attempt, ClientApp, ConnectionState } from '../session/client/ports.ts';
import type { Line } from '../session/ledger.ts';
import type { Identity } from '../session/server/ports.ts';
import type { ServerSession } from '../session/server/server-session.ts';
import type { AppDownFrame, AppUpFrame, Transport } from '../wire/frames.ts';
import { splitLine } from '../wire/write.ts';
import { Random } from './random.ts';
import { VirtualClient } from './virtual-client.ts';
import { FAIR, VirtualNetwork } from './virtual-network.ts';
import { VirtualServer } from './virtual-server.ts';
import { VirtualTime } from './virtual-time.ts';

export interface PairOptions {
  readonly seed?: number;
  readonly transports?: readonly Transport[];
  readonly limits?: Partial<Limits>;
  /** One way, ms. */
  readonly delayMs?: number;
  /** How long `authenticate` takes, ms. */
  readonly authMs?: number | (() => number);
  /** The client asks to be subscribed, and the server has a frame for each new session at once. */
  readonly greets?: boolean;
}

const line = (text: string): Line => ({ text, size: text.length + 1 });

export class Pair {
  readonly time: VirtualTime = new VirtualTime();
  readonly random: Random;
  readonly server: VirtualServer;
  readonly network: VirtualNetwork;
  readonly client: VirtualClient;
  /** What each application was handed, per incarnation of the other end's counting. */
  readonly down: AppDownFrame[] = [];
  readonly up: AppUpFrame[] = [];
  readonly states: ConnectionState[] = [];
  readonly attempts: Attempt[] = [];
  /** Names of the sessions that ended, with their codes. */
  readonly ended: [sid: string, code: string][] = [];
  losses = 0;
  #ids = 0;

  constructor(options: PairOptions = {}) {
    this.random = new Random(options.seed ?? 1);
    const newId = (): string => {
      this.#ids += 1;
      return `id${this.#ids}`;
    };
    const delayMs = options.delayMs ?? 10;
    this.server = new VirtualServer({
      time: this.time,
      newId,
      authMs: typeof options.authMs === 'function' ? options.authMs : () => Number(options.authMs ?? 1),
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      app: {
        created: (session, subs, settled) => {
          for (const [id] of subs) session.enqueue(line(`[19,${id},null]`));
          settled();
        },
        frame: (_session, frame) => this.up.push(frame),
        confirmed: () => {},
        resumed: () => {},
        reachable: () => {},
        ended: (session, code) => this.ended.push([session.sid, code]),
      },
    });
    this.network = new VirtualNetwork({
      time: this.time,
      random: this.random,
      server: this.server,
      weather: { ...FAIR, delay: () => delayMs },
    });
    const app: ClientApp = {
      subs: () => (options.greets === true ? [[1, 'greetings', {}]] : []),
      lost: () => {
        this.losses += 1;
      },
      attached: () => {},
      frame: (frame) => this.down.push(frame),
      state: (state) => this.states.push(state),
      attempt: (attempt) => this.attempts.push(attempt),
    };
    this.client = new VirtualClient({
      network: this.network,
      session: new ClientSession({
        app,
        newId,
        random: this.random.next,
        transports: options.transports ?? ['websocket', 'stream', 'poll'],
        hasCredentials: false,
      }),
    });
  }

  start(): this {
    this.client.input((session, now) => session.start(now));
    return this;
  }

  /** The server's session that the client is in. */
  get serverSession(): ServerSession<Line, Identity> | undefined {
    return this.server.registry.session(this.client.session.sid ?? '');
  }

  /** Sends a request frame up; false where it was not taken. */
  sendUp(id: number, data = 'null'): boolean {
    let taken = false;
    this.client.input((session, now) => {
      taken = session.send([line(`[18,${id},"c","m",${data}]`)]);
      session.flush(now);
    });
    return taken;
  }

  /** Sends a result frame down, in a turn of its own. */
  sendDown(id: number, data = 'null'): void {
    this.server.turn(() => {
      for (const text of splitLine(`[19,${id},${data}]`, this.server.limits)) this.serverSession?.enqueue(line(text));
    });
  }

  /** Runs until `done`, or for `ms` at most; returns whether it came to that. */
  runUntil(done: () => boolean, ms = 60_000): boolean {
    const until = this.time.now + ms;
    while (!done()) if (!this.time.step(until)) return done();
    return true;
  }
}
