/** What the transports share: the sessions, the clock that drives them, and the rules at the door. */
import type { Attach, AttachCarrier, DownFrame, Identity, Limits, SessionRegistry, Transport } from '@runnel/protocol';
import type { Authenticator, Verdict } from '../authenticator.ts';
import { compressedFrames, type Encode, frameLines, joinLines, remembering } from '../batch.ts';
import type { Forward } from '../cluster/cluster.ts';
import type { Driver } from '../driver.ts';
import { Handshake } from '../handshake.ts';
import { LazyAbort } from '../lazy-abort.ts';
import type { Openings } from '../openings.ts';
import type { OriginPolicy } from '../origin.ts';
import type { SharedLine } from '../shared-line.ts';
import { BodyIntake } from './body-intake.ts';
import type { Exchange } from './exchange.ts';

/** Where something went wrong that is neither the peer's fault nor the network's. */
export type ErrorContext = 'authenticate' | 'request' | 'frame' | 'turn';

/** A request or socket under way. */
export interface Carrier {
  /** Ends it at once, without a word. */
  destroy(): void;
}

export interface EdgeOptions<I extends Identity> {
  readonly registry: SessionRegistry<SharedLine, I>;
  readonly driver: Driver;
  readonly limits: Limits;
  readonly transports: ReadonlySet<Transport>;
  /** Sockets at once, attached or not. */
  readonly socketsMax: number;
  /** From which size on lines are compressed for who takes that, bytes; Infinity: none are. */
  readonly compressedFromBytes: number;
  readonly origins: OriginPolicy;
  readonly authenticator: Authenticator<I>;
  readonly openings: Openings<I>;
  readonly report: (error: unknown, context: ErrorContext) => void;
  /** The other nodes; null: there are none. */
  readonly cluster: EdgeCluster<I> | null;
}

/** The frame that refuses an attach whose session is at another node. */
export type LocationRefusal = Extract<DownFrame, readonly [4 | 8 | 15, ...unknown[]]>;

/** Who it is, and that the session is here if there is one; or the frame that refuses the attach. */
export type Located<I> = Verdict<I> | { readonly refusal: LocationRefusal };

/** What the doors need to know of other nodes; see `Cluster`. */
export interface EdgeCluster<I extends Identity> {
  readonly isReady: boolean;
  readonly ready: Promise<void>;
  ownerOf(key: string, hint: string | undefined, exchange: Exchange<I>): string | null;
  forward(exchange: Exchange<I>, forward: Forward, failed: (gone: boolean) => void): void;
  claim(attach: Attach, identity: I): Promise<LocationRefusal | null>;
}

/** What a client says of itself. */
type Asked = Pick<Attach, 'auth' | 'gen'>;

/** An attach whose identity is known. */
export interface Admission<I extends Identity> {
  readonly attach: Attach;
  readonly identity: I;
  readonly carrier: AttachCarrier<SharedLine, I>;
  readonly opening: Handshake;
}

/** Unsent bytes from which a link takes no more until it has drained. What the kernel holds is not counted. */
export const CONGESTED_BYTES = 262_144;
/**
 * Unsent bytes at which a link is cut. A session writes nothing to a congested link, so only the answers to what the client itself asks for (ping, probe) can
 * get here: it sends and does not read.
 */
export const FLOODED_BYTES = 2_097_152;

export class Edge<I extends Identity> {
  readonly registry: SessionRegistry<SharedLine, I>;
  readonly driver: Driver;
  readonly limits: Limits;
  readonly transports: ReadonlySet<Transport>;
  readonly socketsMax: number;
  readonly compressedFromBytes: number;
  readonly origins: OriginPolicy;
  readonly authenticator: Authenticator<I>;
  readonly report: (error: unknown, context: ErrorContext) => void;
  readonly intake: BodyIntake;
  readonly cluster: EdgeCluster<I> | null;
  readonly #openings: Openings<I>;
  /** Of one write to a body, and of one to a WebSocket. */
  readonly joinLines: Encode = remembering(joinLines);
  readonly #frameLines: Encode = remembering(frameLines);
  readonly #compressLines: Encode;
  /** Every request and socket under way, so that closing can wait for them and end them. */
  readonly #carriers = new Set<Carrier>();
  /** Hint for clients that are turned away; set by `close`, null while open. */
  #closingRetryMs: number | null = null;
  /** Called when the last carrier is gone; set while somebody waits for that. */
  #onEmpty: (() => void) | null = null;

  constructor(options: EdgeOptions<I>) {
    this.registry = options.registry;
    this.driver = options.driver;
    this.limits = options.limits;
    this.transports = options.transports;
    this.socketsMax = options.socketsMax;
    this.compressedFromBytes = options.compressedFromBytes;
    this.#compressLines = remembering(compressedFrames(options.compressedFromBytes));
    this.origins = options.origins;
    this.authenticator = options.authenticator;
    this.report = options.report;
    this.cluster = options.cluster;
    this.intake = new BodyIntake(options.limits.requestBodyBytes);
    this.#openings = options.openings;
  }

  /** Whether messages over WebSocket may be compressed. */
  get compresses(): boolean {
    return this.compressedFromBytes < Number.POSITIVE_INFINITY;
  }

  /** One write to a WebSocket: whole frames, the same bytes for all who are sent the same lines. `compressed`: to one that takes compressed messages. */
  framesOf(lines: readonly SharedLine[], compressed: boolean): Buffer {
    const [line] = lines;
    if (line === undefined || lines.length > 1)
      return compressed ? this.#compressLines(lines) : this.#frameLines(lines);
    return compressed && line.size >= this.compressedFromBytes ? line.compressedFrame : line.frame;
  }

  /** How long clients are asked to stay away while the server closes; null: it does not. */
  get closingRetryMs(): number | null {
    return this.#closingRetryMs;
  }
  get carrierCount(): number {
    return this.#carriers.size;
  }

  /** Finds out who is behind an exchange. `judged` is not called where the client has gone by then: it will attach again. */
  judge(exchange: Exchange<I>, asked: Asked, judged: (verdict: Verdict<I>) => void): void {
    this.#await(exchange, (gone) => this.#verdict(exchange, asked, gone), judged);
  }

  /** Likewise for an attach with a key, whose session is then here if there is one. */
  locate(exchange: Exchange<I>, attach: Attach, located: (verdict: Located<I>) => void): void {
    this.#await(exchange, (gone) => this.located(attach, this.#verdict(exchange, attach, gone)), located);
  }

  #verdict(exchange: Exchange<I>, { auth, gen }: Asked, gone: LazyAbort): Verdict<I> | Promise<Verdict<I>> {
    if (exchange.known !== null) return { identity: exchange.known };
    const { request } = exchange.call;
    return this.authenticator.judge({ request, auth, gen, gone });
  }

  #await<V>(exchange: Exchange<I>, ask: (gone: LazyAbort) => V | Promise<V>, told: (verdict: V) => void): void {
    const gone = new LazyAbort();
    exchange.holder = { handleLeft: () => gone.abort() };
    const verdict = ask(gone);
    const settle = (said: V): void => {
      exchange.holder = null;
      if (exchange.isOpen) told(said);
    };
    if (verdict instanceof Promise) void verdict.then(settle);
    else settle(verdict);
  }

  /** Before an attach is admitted its session is brought here, where another node has it (PROTOCOL §12.2). */
  located(attach: Attach, said: Verdict<I> | Promise<Verdict<I>>): Located<I> | Promise<Located<I>> {
    const { cluster, registry } = this;
    if (cluster === null) return said;
    if (cluster.isReady && (attach.key === undefined || registry.owned(attach.key) !== undefined)) return said;
    return this.#claimed(cluster, attach, said);
  }

  async #claimed(cluster: EdgeCluster<I>, attach: Attach, said: Verdict<I> | Promise<Verdict<I>>): Promise<Located<I>> {
    const verdict = await said;
    if ('refusal' in verdict) return verdict;
    await cluster.ready;
    const refusal = await cluster.claim(attach, verdict.identity);
    return refusal === null ? verdict : { refusal };
  }

  /** How an exchange opens a session. */
  openingOf({ call: { request }, known }: Exchange<I>): Handshake {
    return Handshake.ofRequest(request, known !== null);
  }

  /** Likewise, of one that is answered by a body. */
  streamOpeningOf({ call: { request }, known }: Exchange<I>): Handshake {
    return Handshake.ofStream(request, known !== null);
  }

  /** Nothing is waited for between here and the answer (PROTOCOL §8.2). */
  admit({ attach, identity, carrier, opening }: Admission<I>, now: number): void {
    this.#openings.during(opening, () => this.registry.attach(attach, identity, carrier, now));
  }

  enter(carrier: Carrier): void {
    this.#carriers.add(carrier);
  }

  leave(carrier: Carrier): void {
    this.#carriers.delete(carrier);
    if (this.#carriers.size === 0) this.#onEmpty?.();
  }

  /** Turns newcomers away from here on. */
  refuseAll(retryMs: number): void {
    this.#closingRetryMs = retryMs;
  }

  /** Resolves when nothing is under way any more; what still is after `timeoutMs` is cut off. */
  async drain(timeoutMs: number): Promise<void> {
    if (this.#carriers.size === 0) return;
    const emptied = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    const timer = setTimeout(() => {
      for (const carrier of [...this.#carriers]) carrier.destroy();
    }, timeoutMs);
    await emptied;
    clearTimeout(timer);
    this.#onEmpty = null;
  }

  /** Runs one turn of the session core. What the application throws out of it is reported; returns whether it threw. */
  turn(run: (now: number) => void): boolean {
    try {
      run(this.driver.now());
      return true;
    } catch (error) {
      this.report(error, 'turn');
      return false;
    } finally {
      this.driver.rearm();
    }
  }
}
