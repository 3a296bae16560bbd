/** A server's edge in virtual time: what the server package does with sockets and HTTP bodies, without sockets and HTTP. */
import { RunnelError } from '../errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../limits.ts';
import type { Line } from '../session/ledger.ts';
import type { Answer, Identity, ServerApp } from '../session/server/ports.ts';
import type { ServerLink } from '../session/server/server-link.ts';
import { type AttachCarrier, SessionRegistry, type SizedFrame } from '../session/server/session-registry.ts';
import { type Attach, Type, type UpFrame } from '../wire/frames.ts';
import { splitMessage } from '../wire/lines.ts';
import { readUp } from '../wire/read-up.ts';
import { encodeFrame } from '../wire/write.ts';
import { type VirtualTime, VirtualTimer } from './virtual-time.ts';

/** Where an HTTP answer, or a socket's messages, go. */
export interface Sink {
  lines(lines: readonly string[]): void;
  end(): void;
}

export interface VirtualServerOptions {
  readonly time: VirtualTime;
  readonly newId: () => string;
  readonly app: ServerApp<Line, Identity>;
  readonly limits?: Partial<Limits>;
  /** How long `authenticate` takes, ms. */
  readonly authMs: () => number;
  /** Who an attach's `auth` is; null refuses it. */
  readonly authenticate?: (auth: unknown) => Identity | null;
}

type VirtualLink = ServerLink<Line, Identity>;

const line = (text: string): Line => ({ text, size: text.length + 1 });
const asText = (lines: readonly Line[]): string[] => lines.map(({ text }) => text);

export class VirtualServer {
  readonly #options: VirtualServerOptions;
  readonly limits: Limits;
  readonly #timer: VirtualTimer;
  readonly #probes = new Map<string, Sink>();
  #registry: SessionRegistry<Line, Identity>;
  /** Keys of an earlier life are not genuine. */
  #life = 0;

  constructor(options: VirtualServerOptions) {
    this.#options = options;
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#timer = new VirtualTimer(options.time, () => this.turn(() => this.#registry.handleTimeout(options.time.now)));
    this.#registry = this.#newRegistry();
  }

  get registry(): SessionRegistry<Line, Identity> {
    return this.#registry;
  }

  /** Everything in memory is gone; the caller cuts the connections. */
  restart(): void {
    this.#life += 1;
    this.#probes.clear();
    this.#registry = this.#newRegistry();
  }

  /** Runs one turn of the server: what it enqueues is written at the end. */
  turn(run: () => void): void {
    run();
    this.#registry.flush(this.#options.time.now);
    this.#timer.set(this.#registry.nextTimeout());
  }

  openSocket(sink: Sink): VirtualSocketEnd {
    const registry = this.#registry;
    const port = {
      transport: 'websocket' as const,
      congested: false,
      write: (lines: readonly Line[]) => sink.lines(asText(lines)),
      end: () => sink.end(),
    };
    const link = registry.connect(port, this.#options.time.now);
    this.turn(() => {});
    return {
      message: (text) => this.#inLife(registry, () => this.#handleMessage(link, text)),
      closed: () => this.#inLife(registry, () => link.handleClosed(this.#options.time.now)),
    };
  }

  #handleMessage(link: VirtualLink, text: string): void {
    const { now } = this.#options.time;
    try {
      for (const part of splitMessage(text)) {
        const frame = readUp(part, this.limits);
        if (frame === null) continue;
        if (frame[0] === Type.attach) this.#authenticated(frame[1], { link });
        else link.handleFrame(frame, part.length + 1, now);
      }
    } catch (error) {
      link.handleFault(error, now);
    }
  }

  /** A request whose body has arrived whole. Returns what happens when the client goes away. */
  request(body: string, sink: Sink): () => void {
    const registry = this.#registry;
    let gone = (): void => {};
    const answer: Answer<Line> = {
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

  #dispatch(body: string, sink: Sink, answer: Answer<Line>): () => void {
    const { now } = this.#options.time;
    const registry = this.#registry;
    const gone = (): void => registry.handleAnswerClosed(answer, this.#options.time.now);
    const lines = body.split('\n').slice(0, -1);
    let header: UpFrame | null = null;
    try {
      header = readUp(lines[0] ?? '', this.limits);
      switch (header?.[0]) {
        case Type.attach: {
          if (header[1].mode === 'poll') {
            this.#authenticated(header[1], { answer });
            return gone;
          }
          const link = this.#openStream(sink);
          this.#authenticated(header[1], { link });
          return () => link.handleClosed(this.#options.time.now);
        }
        case Type.poll:
          registry.poll(header[1], answer, now);
          return gone;
        case Type.post: {
          const frames: SizedFrame[] = [];
          for (const text of lines.slice(1)) {
            const frame = readUp(text, this.limits);
            if (frame !== null) frames.push({ frame, size: text.length + 1 });
          }
          registry.post(header[1], frames, answer, now);
          return gone;
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
          answer.end([line(encodeFrame([Type.echo]))]);
          return gone;
        }
        default:
          throw new RunnelError('protocol_error', 'not a header');
      }
    } catch (error) {
      if (!RunnelError.is(error)) throw error;
      if (header?.[0] === Type.post) registry.postFault(header[1], error.code, error.message, answer, now);
      else answer.end([line(encodeFrame([Type.goaway, error.code, error.message, 0]))]);
      return gone;
    }
  }

  #openStream(sink: Sink): VirtualLink {
    const port = {
      transport: 'stream' as const,
      congested: false,
      write: (lines: readonly Line[]) => sink.lines(asText(lines)),
      end: () => sink.end(),
    };
    return this.#registry.connect(port, this.#options.time.now);
  }

  /** PROTOCOL §8.2: after the awaits, in one turn. */
  #authenticated(attach: Attach, carrier: AttachCarrier<Line, Identity>): void {
    const registry = this.#registry;
    this.#options.time.after(this.#options.authMs(), () =>
      this.#inLife(registry, () => {
        const identity = this.#options.authenticate?.(attach.auth) ?? { id: 'anyone' };
        registry.attach(attach, identity, carrier, this.#options.time.now);
      }),
    );
  }

  #inLife(registry: SessionRegistry<Line, Identity>, run: () => void): void {
    if (registry === this.#registry) this.turn(run);
  }

  #newRegistry(): SessionRegistry<Line, Identity> {
    const life = this.#life;
    return new SessionRegistry<Line, Identity>({
      node: 'n1',
      limits: this.limits,
      transports: ['websocket', 'stream', 'poll'],
      sessionsMax: 10_000,
      settleMs: 500,
      app: this.#options.app,
      newId: this.#options.newId,
      issueKey: (sid) => `${sid}.${life}`,
      readKey: (key) => {
        const [sid, signed] = key.split('.');
        return sid === undefined ? null : { sid, genuine: signed === String(life) };
      },
      line,
      onWork: () => {},
    });
  }
}

/** The server's hold on a socket. */
export interface VirtualSocketEnd {
  message(text: string): void;
  closed(): void;
}

