/** A server's edge in virtual time: what the server package does with sockets and HTTP bodies, without sockets and HTTP. */
import { RunnelError } from '../errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../limits.ts';
import type { Line } from '../session/ledger.ts';
import type { Answer, Identity, LinkPort, ServerApp } from '../session/server/ports.ts';
import type { ServerLink } from '../session/server/server-link.ts';
import { type AttachCarrier, SessionRegistry, type SizedFrame } from '../session/server/session-registry.ts';
import { type Attach, type DownFrame, Type, type UpFrame } from '../wire/frames.ts';
import { splitMessage } from '../wire/lines.ts';
import { readUp } from '../wire/read-up.ts';
import { encodeFrame } from '../wire/write.ts';
import { type VirtualTime, VirtualTimer } from './virtual-time.ts';

/** Where an HTTP answer, or a socket's messages, go. */
export interface Sink {
  lines(lines: readonly string[]): void;
  end(): void;
}

export interface VirtualServerOptions<L extends Line = Line, I extends Identity = Identity> {
  readonly time: VirtualTime;
  readonly newId: () => string;
  readonly app: ServerApp<L, I>;
  readonly limits?: Partial<Limits>;
  /** How long `authenticate` takes, ms. */
  readonly authMs: () => number;
  /** Who an attach's `auth` is; null refuses it. Default: everybody is the same. */
  readonly authenticate?: (auth: unknown) => I | null;
  /** Makes the line of one frame's text. Default: a plain `Line`. */
  readonly line?: (text: string) => L;
  /** Default: this is the only node. */
  readonly cluster?: VirtualCluster<I>;
}

/** A request that may be for another node. */
export interface Forwardable {
  readonly key: string | undefined;
  readonly node: string | undefined;
  readonly gen: number;
  readonly body: string;
  /** How long it may be held, ms. */
  readonly holdMs: number;
}

/** What other nodes have to do with what comes here (PROTOCOL §12). */
export interface VirtualCluster<I extends Identity> {
  readonly node: string;
  /** Whether a key was issued by one of the nodes. */
  isGenuine(key: string): boolean;
  /** Brings the session of an attach here. What its client is told instead of a welcome; null: it may be admitted. */
  claim(attach: Attach, identity: I): Promise<DownFrame | null>;
  /** Has another node answer, or calls `here` where that is not for others, or failed; `gone`: the other node is. Returns what happens when the client goes away. */
  forward(request: Forwardable, sink: Sink, here: (gone: boolean) => void): () => void;
}

/** A server as the network sees it. */
export interface ServerEnd {
  openSocket(sink: Sink): VirtualSocketEnd;
  /** A request whose body has arrived whole. Returns what happens when the client goes away. */
  request(body: string, sink: Sink): () => void;
}

/** A socket or stream body at the server, as faults see it. */
export interface VirtualPort {
  readonly congested: boolean;
  /** What is written piles up, until `drain`. */
  congest(): void;
  drain(): void;
}

const plainLine = (text: string): Line => ({ text, size: text.length + 1 });
const asText = (lines: readonly Line[]): string[] => lines.map(({ text }) => text);

/** A frame that came while an attach on its socket was being judged. */
interface Waiting {
  readonly frame: UpFrame;
  readonly size: number;
}

export class VirtualServer<L extends Line = Line, I extends Identity = Identity> implements ServerEnd {
  readonly #options: VirtualServerOptions<L, I>;
  readonly limits: Limits;
  readonly #timer: VirtualTimer;
  readonly #probes = new Map<string, Sink>();
  readonly #ports = new Set<VirtualPort>();
  readonly #line: (text: string) => L;
  #registry: SessionRegistry<L, I>;
  /** Keys of an earlier life are not genuine. */
  #life = 0;
  #turning = false;

  constructor(options: VirtualServerOptions<L, I>) {
    this.#options = options;
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#line = options.line ?? (plainLine as (text: string) => L);
    this.#timer = new VirtualTimer(options.time, () => this.turn(() => this.#registry.handleTimeout(options.time.now)));
    this.#registry = this.#newRegistry();
  }

  get registry(): SessionRegistry<L, I> {
    return this.#registry;
  }
  /** Sockets and stream bodies that are open. */
  get ports(): ReadonlySet<VirtualPort> {
    return this.#ports;
  }

  /** Everything in memory is gone; the caller cuts the connections. */
  restart(): void {
    this.#life += 1;
    this.#probes.clear();
    this.#ports.clear();
    this.#registry = this.#newRegistry();
  }

  /** Runs one turn of the server: what it enqueues is written at the end. */
  turn(run: () => void): void {
    this.#turning = true;
    try {
      run();
      this.#registry.flush(this.#options.time.now);
    } finally {
      this.#turning = false;
    }
    this.#timer.set(this.#registry.nextTimeout());
  }

  openSocket(sink: Sink): VirtualSocketEnd {
    const registry = this.#registry;
    const { link, closed } = this.#open('websocket', sink);
    const waiting: Waiting[] = [];
    let judging = false;
    // What follows an attach waits until that is judged: two attaches on one socket must not overtake each other.
    const take = (frame: UpFrame, size: number): void => {
      const { now } = this.#options.time;
      const waits = frame[0] !== Type.probe && frame[0] !== Type.ping && frame[0] !== Type.pong;
      if (judging && waits) waiting.push({ frame, size });
      else if (frame[0] === Type.attach) {
        judging = true;
        this.#authenticated(frame[1], { link }, () => {
          judging = false;
          for (const next of waiting.splice(0)) take(next.frame, next.size);
        });
      } else link.handleFrame(frame, size, now);
    };
    this.turn(() => {});
    return {
      message: (text) => this.#inLife(registry, () => this.#handleMessage(link, text, take)),
      closed: () => this.#inLife(registry, closed),
    };
  }

  /** A carrier that frames go down. */
  #open(transport: 'websocket' | 'stream', sink: Sink): { link: ServerLink<L, I>; closed: () => void } {
    const registry = this.#registry;
    let congested = false;
    const port: VirtualPort & LinkPort<L> = {
      transport,
      get congested() {
        return congested;
      },
      congest: () => {
        congested = true;
      },
      drain: () => {
        if (!congested) return;
        congested = false;
        this.#inLife(registry, () => link.handleDrain());
      },
      write: (lines) => sink.lines(asText(lines)),
      end: () => {
        this.#ports.delete(port);
        sink.end();
      },
    };
    this.#ports.add(port);
    const link = registry.connect(port, this.#options.time.now);
    const closed = (): void => {
      this.#ports.delete(port);
      link.handleClosed(this.#options.time.now);
    };
    return { link, closed };
  }

  #handleMessage(link: ServerLink<L, I>, text: string, take: (frame: UpFrame, size: number) => void): void {
    try {
      for (const part of splitMessage(text)) {
        const frame = readUp(part, this.limits);
        if (frame !== null) take(frame, part.length + 1);
      }
    } catch (error) {
      // What is no fault of the peer's is for whoever runs the simulation.
      if (!RunnelError.is(error)) throw error;
      link.handleFault(error, this.#options.time.now);
    }
  }

  /** A request whose body has arrived whole. Returns what happens when the client goes away. */
  request(body: string, sink: Sink): () => void {
    const registry = this.#registry;
    let gone = (): void => {};
    const answer: Answer<L> = {
      end: (lines) => {
        sink.lines(asText(lines));
        sink.end();
      },
    };
    this.turn(() => {
      gone = this.#dispatch(body, sink, answer);
    });
    return () => this.#inLife(registry, () => gone());
  }

  #dispatch(body: string, sink: Sink, answer: Answer<L>): () => void {
    const { now } = this.#options.time;
    const registry = this.#registry;
    const gone = (): void => registry.handleAnswerClosed(answer, this.#options.time.now);
    const lines = body.split('\n').slice(0, -1);
    let header: UpFrame | null = null;
    try {
      header = readUp(lines[0] ?? '', this.limits);
      switch (header?.[0]) {
        case Type.attach: {
          const attach = header[1];
          if (attach.mode === 'poll') {
            const { key, node, gen, hold: holdMs = 0 } = attach;
            return this.#atOwner({ key, node, gen, holdMs, body }, sink, (isGone) => {
              if (isGone) this.#authenticated(attach, { answer });
              else answer.end([registry.encode([Type.retry, gen, 300])]);
              return gone;
            });
          }
          const { link, closed } = this.#open('stream', sink);
          this.#authenticated(header[1], { link });
          return closed;
        }
        case Type.poll: {
          const poll = header[1];
          const { key, node, gen, hold: holdMs } = poll;
          return this.#atOwner({ key, node, gen, holdMs, body }, sink, () => {
            registry.poll(poll, answer, this.#options.time.now);
            return gone;
          });
        }
        case Type.post: {
          const post = header[1];
          const frames: SizedFrame[] = [];
          for (const text of lines.slice(1)) {
            const frame = readUp(text, this.limits);
            if (frame !== null) frames.push({ frame, size: text.length + 1 });
          }
          const { key, node, gen } = post;
          return this.#atOwner({ key, node, gen, holdMs: 0, body }, sink, () => {
            registry.post(post, frames, answer, this.#options.time.now);
            return gone;
          });
        }
        case Type.probe: {
          const token = this.#options.newId();
          this.#probes.set(token, sink);
          sink.lines([encodeFrame([Type.probed, header[1], token])]);
          return () => this.#probes.delete(token);
        }
        case Type.echo: {
          const probe = this.#probes.get(header[1]);
          this.#probes.delete(header[1]);
          probe?.lines([encodeFrame([Type.echo]), encodeFrame([Type.end])]);
          probe?.end();
          answer.end([registry.encode([Type.echo])]);
          return gone;
        }
        default:
          throw new RunnelError('protocol_error', 'not a header');
      }
    } catch (error) {
      if (!RunnelError.is(error)) throw error;
      if (header?.[0] === Type.post) registry.postFault(header[1], error.code, error.message, answer, now);
      else answer.end([registry.encode([Type.goaway, error.code, error.message, 0])]);
      return gone;
    }
  }

  /** PROTOCOL §12.1. `here` answers at this node, and returns what happens when the client goes away. */
  #atOwner(request: Forwardable, sink: Sink, here: (gone: boolean) => () => void): () => void {
    const { cluster } = this.#options;
    const registry = this.#registry;
    if (cluster === undefined) return here(true);
    let gone: (() => void) | null = null;
    let later = false;
    const answer = (isGone: boolean): void => {
      gone = here(isGone);
    };
    const callOff = cluster.forward(request, sink, (isGone) => {
      if (later) this.#inLife(registry, () => answer(isGone));
      else answer(isGone);
    });
    later = true;
    return () => (gone ?? callOff)();
  }

  /** PROTOCOL §8.2: after the awaits, in one turn. */
  #authenticated(attach: Attach, carrier: AttachCarrier<L, I>, then: () => void = () => {}): void {
    const registry = this.#registry;
    this.#options.time.after(this.#options.authMs(), () =>
      this.#inLife(registry, () => {
        const { authenticate } = this.#options;
        const identity = authenticate === undefined ? ({ id: 'anyone' } as I) : authenticate(attach.auth);
        if (identity === null) {
          this.#refuse([Type.goaway, 'unauthorized', 'the credentials were refused', 0, attach.gen], carrier);
          return then();
        }
        const admit = (): void => {
          registry.attach(attach, identity, carrier, this.#options.time.now);
          then();
        };
        const { cluster } = this.#options;
        if (cluster === undefined || attach.key === undefined || registry.owned(attach.key) !== undefined)
          return admit();
        void cluster.claim(attach, identity).then((refusal) =>
          this.#inLife(registry, () => {
            if (refusal === null) return admit();
            this.#refuse(refusal, carrier);
            then();
          }),
        );
      }),
    );
  }

  #refuse(frame: DownFrame, carrier: AttachCarrier<L, I>): void {
    const refusal = this.#registry.encode(frame);
    if (carrier.answer !== undefined) return carrier.answer.end([refusal]);
    const { link } = carrier;
    link.port.write([refusal]);
    if (link.port.transport === 'websocket' && frame[0] !== Type.goaway) return;
    link.port.end('unauthorized', 'the attach was refused');
    link.handleClosed(this.#options.time.now);
  }

  #inLife(registry: SessionRegistry<L, I>, run: () => void): void {
    if (registry === this.#registry) this.turn(run);
  }

  #newRegistry(): SessionRegistry<L, I> {
    const life = this.#life;
    const { cluster } = this.#options;
    let isTurnDue = false;
    const registry: SessionRegistry<L, I> = new SessionRegistry<L, I>({
      node: this.#options.cluster?.node ?? 'n1',
      limits: this.limits,
      transports: ['websocket', 'stream', 'poll'],
      sessionsMax: 10_000,
      settleMs: 500,
      app: this.#options.app,
      now: () => this.#options.time.now,
      newId: this.#options.newId,
      issueKey: (sid) => (cluster === undefined ? `${sid}.${life}` : `${sid}.${cluster.node}`),
      readKey: (key) => {
        const [sid, signed] = key.split('.');
        const genuine = cluster === undefined ? signed === String(life) : cluster.isGenuine(key);
        return sid === undefined ? null : { sid, genuine };
      },
      line: this.#line,
      // What the application enqueues after an await is written in a turn of its own.
      onWork: () => {
        if (this.#turning || isTurnDue) return;
        isTurnDue = true;
        this.#options.time.after(0, () => {
          isTurnDue = false;
          this.#inLife(registry, () => {});
        });
      },
    });
    return registry;
  }
}

/** The server's hold on a socket. */
export interface VirtualSocketEnd {
  message(text: string): void;
  closed(): void;
}
