/** Drives a `ClientSession` over a virtual network: what the client package does with fetch and WebSocket. */
import type { ClientSession } from '../session/client/client-session.ts';
import type { Effect } from '../session/client/ports.ts';
import type { VirtualNetwork } from './virtual-network.ts';
import { VirtualTimer } from './virtual-time.ts';

/** What stands above the session and wants turns of its own; `ClientChannels` does. */
export interface Steered {
  steer(now: number): void;
  nextTimeout(): number;
}

/** Sees what passes between the core and the network. */
export interface ClientWatch {
  effect(effect: Effect): void;
  /** A line that is about to be handled. */
  line(carrier: number, text: string): void;
}

export interface VirtualClientOptions {
  readonly network: VirtualNetwork;
  readonly session: ClientSession;
  readonly credentials?: () => unknown;
  readonly above?: Steered;
  readonly watch?: ClientWatch;
}

type Input = (session: ClientSession, now: number) => void;

export class VirtualClient {
  readonly session: ClientSession;
  readonly #network: VirtualNetwork;
  readonly #timer: VirtualTimer;
  readonly #sockets = new Map<number, { send: (text: string) => void; drop: () => void }>();
  readonly #requests = new Map<number, () => void>();
  readonly #credentials: () => unknown;
  readonly #above: Steered | null;
  readonly #watch: ClientWatch | null;
  /** What has happened and was not taken yet: what an input causes waits until that is done. */
  readonly #inputs: Input[] = [];
  #turning = false;
  /** What has come while the page was frozen; null while it is not. */
  #waiting: Input[] | null = null;
  #dead = false;

  constructor(options: VirtualClientOptions) {
    this.#network = options.network;
    this.session = options.session;
    this.#credentials = options.credentials ?? (() => undefined);
    this.#above = options.above ?? null;
    this.#watch = options.watch ?? null;
    this.#timer = new VirtualTimer(options.network.time, () =>
      this.input((session, now) => session.handleTimeout(now)),
    );
  }

  get frozen(): boolean {
    return this.#waiting !== null;
  }

  /** One input, and everything that follows from it. */
  input(run: Input): void {
    if (this.#dead) return;
    if (this.#waiting !== null) {
      this.#waiting.push(run);
      return;
    }
    this.#inputs.push(run);
    if (this.#turning) return;
    this.#turning = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) this.#turn(next);
    } finally {
      this.#turning = false;
    }
    this.#timer.set(Math.min(this.session.nextTimeout(), this.#above?.nextTimeout() ?? Number.POSITIVE_INFINITY));
  }

  #turn(run: Input): void {
    const { now } = this.#network.time;
    this.#above?.steer(now);
    run(this.session, now);
    this.#above?.steer(now);
    for (let effects = this.session.takeEffects(); effects.length > 0; effects = this.session.takeEffects()) {
      for (const effect of effects) this.#carryOut(effect);
    }
  }

  /** Lines that came together on a carrier. */
  lines(carrier: number, lines: readonly string[]): void {
    this.input((session, now) => {
      for (const text of lines) {
        this.#watch?.line(carrier, text);
        session.handleLine(carrier, text, now);
      }
    });
  }

  /** The machine sleeps: no timer goes off, and what comes waits. */
  freeze(): void {
    this.#waiting ??= [];
  }

  /** It wakes up: the clock has jumped, and all that waited comes at once. */
  thaw(): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    this.#waiting = null;
    this.input((session, now) => session.wake(now));
    for (const run of waiting) this.input(run);
  }

  /** It is gone for good, without a word. */
  die(): void {
    this.#dead = true;
    this.#timer.set(Number.POSITIVE_INFINITY);
    for (const { owner, up, down } of this.#network.connections) {
      if (owner !== this) continue;
      up.mute();
      down.mute();
    }
  }

  #carryOut(effect: Effect): void {
    this.#watch?.effect(effect);
    switch (effect.type) {
      case 'open':
        this.#sockets.set(effect.carrier, this.#network.openSocket(this, effect.carrier));
        return;
      case 'send':
        this.#sockets.get(effect.carrier)?.send(effect.text);
        return;
      case 'request':
        this.#requests.set(effect.carrier, this.#network.request(this, effect));
        return;
      case 'drop':
        this.#sockets.get(effect.carrier)?.drop();
        this.#requests.get(effect.carrier)?.();
        this.#sockets.delete(effect.carrier);
        this.#requests.delete(effect.carrier);
        return;
      case 'credentials':
        this.#network.time.after(1, () =>
          this.input((session, now) => session.handleCredentials(this.#credentials(), now)),
        );
    }
  }
}
