/**
 * Who we are, and how every attach, poll and POST says so. Before the first welcome only `#cid` names us; from then on the key and names that the
 * last adopted welcome gave. `startAnew` forgets all of it, for when nobody could continue the session.
 */
import { DEFAULT_LIMITS } from '../../limits.ts';
import {
  type AttachSub,
  PROTOCOL_VERSION,
  type Transport,
  Type,
  type Welcome,
  type WelcomeLimits,
} from '../../wire/frames.ts';
import { utf8Length } from '../../wire/utf8.ts';
import { encodeFrame } from '../../wire/write.ts';

/** An attach is one line, which holds credentials and its other fields too. */
const SUBS_BYTES_MAX = DEFAULT_LIMITS.lineBytes - DEFAULT_LIMITS.authBytes - 2_048;

export interface AttachWords {
  readonly mode: Transport;
  readonly rx: number;
  readonly auth: unknown;
  readonly subs: readonly AttachSub[];
}

/** What whoever carries the session on has to go by. */
export interface IdentityState {
  /** Our nonce; another only by `startAnew`. */
  readonly cid: string;
  /** The welcome adopted last; null before the first of this `cid`. */
  readonly welcome: Welcome | null;
  /** Generation of the last attach sent (PROTOCOL §7.2); 0 again only with a new `cid`. */
  readonly gen: number;
  /** What every attach before the first welcome asks to subscribe (PROTOCOL §7.5); null before the first attach and after a welcome. */
  readonly firstSubs: readonly AttachSub[] | null;
}

export class Identity {
  readonly #newId: () => string;
  #state: { -readonly [K in keyof IdentityState]: IdentityState[K] };
  /** What the server grants and offers; outlives `startAnew`, for it is the same server. */
  #server: Welcome | null;

  constructor(newId: () => string, state?: IdentityState) {
    this.#newId = newId;
    this.#state = state ?? nobody(newId);
    this.#server = this.#state.welcome;
  }

  get state(): IdentityState {
    return this.#state;
  }

  get cid(): string {
    return this.#state.cid;
  }
  get sid(): string | null {
    return this.#state.welcome?.sid ?? null;
  }
  get gen(): number {
    return this.#state.gen;
  }
  /** Generation of the last welcome adopted; 0 before the first. */
  get adoptedGen(): number {
    return this.#state.welcome?.gen ?? 0;
  }
  get client(): string | null {
    return this.#server?.client ?? null;
  }
  get limits(): WelcomeLimits | null {
    return this.#server?.limits ?? null;
  }
  /** Transports that the server has; null while that is not known. */
  get offered(): readonly Transport[] | null {
    return this.#server?.transports ?? null;
  }

  /** What the next attach asks to subscribe. `lossExcluded`: a living link says that the incarnation lives. */
  subs(wanted: () => readonly AttachSub[], lossExcluded: boolean): readonly AttachSub[] {
    // PROTOCOL §7.5: all attaches before the first welcome ask for the same.
    if (this.#state.welcome === null) this.#state.firstSubs ??= fitting(wanted());
    return this.#state.firstSubs ?? (lossExcluded ? [] : fitting(wanted()));
  }

  /** The line of the next attach. PROTOCOL §4.0. */
  attach({ mode, rx, auth, subs }: AttachWords): string {
    this.#state.gen += 1;
    const header = {
      v: PROTOCOL_VERSION,
      cid: this.#state.cid,
      gen: this.#state.gen,
      rx,
      mode,
      ...(this.#state.welcome === null ? {} : { key: this.#state.welcome.key, node: this.#state.welcome.node }),
      ...(mode === 'poll' ? { hold: 0 } : {}),
      ...(auth === undefined ? {} : { auth }),
      ...(subs.length === 0 ? {} : { subs }),
    };
    return encodeFrame([Type.attach, header]);
  }

  /** What the headers of polls and POSTs begin with. Only after a welcome. */
  header(): { key: string; node: string; gen: number } {
    const { key, node, gen } = this.#state.welcome as Welcome;
    return { key, node, gen };
  }

  /** Takes over a welcome. True where it names another incarnation than before, or the first. */
  adopt(welcome: Welcome): boolean {
    const fresh = welcome.sid !== this.sid;
    this.#state.welcome = welcome;
    this.#server = welcome;
    this.#state.firstSubs = null;
    return fresh;
  }

  startAnew(): void {
    this.#state = nobody(this.#newId);
  }
}

const nobody = (newId: () => string): IdentityState => ({ cid: newId(), welcome: null, gen: 0, firstSubs: null });

/** PROTOCOL §2: as many as fit; the rest are subscribed after the welcome. */
function fitting(subs: readonly AttachSub[]): readonly AttachSub[] {
  let bytes = 0;
  const end = subs.findIndex((sub, count) => {
    bytes += utf8Length(JSON.stringify(sub)) + 1;
    return bytes > SUBS_BYTES_MAX || count === DEFAULT_LIMITS.channels;
  });
  return end < 0 ? subs : subs.slice(0, end);
}
