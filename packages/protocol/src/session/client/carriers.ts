/** Everything a client's session can be carried by, one kind each. The session owns them all, by number. */
import type { Transport } from '../../wire/frames.ts';

interface Base {
  readonly id: number;
  readonly openedAt: number;
  /** When anything last came on it. */
  heardAt: number;
}

/** Carries counted frames down, numbered from the header that opened it (PROTOCOL §7.3). */
interface Numbered extends Base {
  /** The incarnation that its numbers belong to; null before a header has said so, or where they are not ours. */
  sid: string | null;
  /** Number of the next counted frame on it. */
  next: number;
}

/**
 * A WebSocket. *opening* until `handleOpen`; *probing* until it has answered; *proven*: it may be attached; *attaching*: an attach was sent on it;
 * *current*: its welcome was adopted; *spare*: it was current, went silent, and may come back until `deadline`.
 */
export interface Socket extends Numbered {
  readonly kind: 'websocket';
  phase: 'opening' | 'probing' | 'proven' | 'attaching' | 'current' | 'spare';
  /** Whether an attach was sent on it and its welcome was not adopted: until then nothing numbered goes up (PROTOCOL §6.5). */
  awaiting: boolean;
  /** When the probe went up; meaningful while probing. */
  probedAt: number;
  /** When an opening, probing or spare socket is given up. */
  deadline: number;
}

/** A POST whose answer stays open, opened by an attach. */
export interface Stream extends Numbered {
  readonly kind: 'stream';
}

/** A poll; `n` = 0 is an attach by poll. */
export interface Poll extends Numbered {
  readonly kind: 'poll';
  readonly gen: number;
  readonly n: number;
  /** How long the server may hold it, ms. */
  readonly hold: number;
  /** When it is overdue. */
  deadline: number;
  /** Whether its end line has come. */
  ended: boolean;
}

export interface Post extends Base {
  readonly kind: 'post';
  readonly gen: number;
  readonly base: number;
  /** What of it would be less in a smaller one. */
  readonly bytes: number;
  /** Whether it carries no more than one counted frame, and so cannot be smaller. */
  readonly single: boolean;
  deadline: number;
  /** Whether its answer was read. */
  answered: boolean;
  /** Whether the same frames were sent before and not answered. */
  readonly repeated: boolean;
}

/** The throw-away body that proves that streams get through (PROTOCOL §6.4). */
export interface StreamProbe extends Base {
  readonly kind: 'probe';
  readonly deadline: number;
}

export interface Echo extends Base {
  readonly kind: 'echo';
}

export type Carrier = Socket | Stream | Poll | Post | StreamProbe | Echo;

/** What an attach goes up on: a socket that is open, or a request of its own. */
export type Way = Socket | 'stream' | 'poll';

export const transportOf = (way: Way): Transport => (typeof way === 'string' ? way : way.kind);
