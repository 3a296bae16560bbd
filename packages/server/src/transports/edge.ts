/** What the transports share: the sessions, the clock that drives them, and the rules at the door. */
import type { Attach, AttachCarrier, Identity, Limits, SessionRegistry, Transport } from '@runnel/protocol';
import type { Authenticator, Verdict } from '../authenticator.ts';
import { type Encode, frameLines, joinLines, remembering } from '../batch.ts';
import type { Driver } from '../driver.ts';
import { Handshake } from '../handshake.ts';
import type { Opening, Openings } from '../openings.ts';
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
  readonly origins: OriginPolicy;
  readonly authenticator: Authenticator<I>;
  readonly openings: Openings<I>;
  readonly report: (error: unknown, context: ErrorContext) => void;
}

/** An attach whose identity is known. */
export interface Admission<I extends Identity> {
  readonly attach: Attach;
  readonly identity: I;
  readonly carrier: AttachCarrier<SharedLine, I>;
  readonly opening: Opening;
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
  readonly origins: OriginPolicy;
  readonly authenticator: Authenticator<I>;
  readonly report: (error: unknown, context: ErrorContext) => void;
  readonly intake: BodyIntake;
  readonly #openings: Openings<I>;
  /** Of one write to a body, and of one to a WebSocket. */
  readonly joinLines: Encode = remembering(joinLines);
  readonly frameLines: Encode = remembering(frameLines);
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
    this.origins = options.origins;
    this.authenticator = options.authenticator;
    this.report = options.report;
    this.intake = new BodyIntake(options.limits.requestBodyBytes);
    this.#openings = options.openings;
  }

  /** How long clients are asked to stay away while the server closes; null: it does not. */
  get closingRetryMs(): number | null {
    return this.#closingRetryMs;
  }
  get carrierCount(): number {
    return this.#carriers.size;
  }

  /** Finds out who is behind an exchange. `judged` is not called where the client has gone by then: it will attach again. */
  judge(
    exchange: Exchange<I>,
    { auth, gen }: { readonly auth: unknown; readonly gen: number },
    judged: (verdict: Verdict<I>) => void,
  ): void {
    if (exchange.known !== null) return judged({ identity: exchange.known });
    const gone = new AbortController();
    exchange.onClosed = () => gone.abort();
    const { request } = exchange.call;
    const verdict = this.authenticator.judge({ request, auth, gen, gone });
    const settle = (said: Verdict<I>): void => {
      exchange.onClosed = null;
      if (exchange.isOpen) judged(said);
    };
    if (verdict instanceof Promise) void verdict.then(settle);
    else settle(verdict);
  }

  /** How an exchange opens a session. */
  openingOf({ call: { request }, known }: Exchange<I>): Opening {
    return { handshake: new Handshake(request), known: known !== null };
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
