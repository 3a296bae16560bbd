import type { Identity } from './ports.ts';

/** What a session is made of on its way from one node to another (PROTOCOL §12.2). */
export interface SessionRecord {
  readonly sid: string;
  readonly cid: string;
  readonly key: string;
  readonly client: string;
  /** Of the attach accepted last. */
  readonly gen: number;
  /** Whether the client was heard of after its welcome. */
  readonly confirmed: boolean;
  readonly rx: number;
  readonly acked: number;
  /** Number of the first of `lines`. */
  readonly ob: number;
  /** The outbox: the text of each frame kept. */
  readonly lines: readonly string[];
  /** The slices so far of a frame that has not come whole (PROTOCOL §5.30). */
  readonly slices: string;
}

/** What a session begins with. */
export interface ServerSessionOptions<I extends Identity> {
  readonly cid: string;
  readonly sid: string;
  readonly key: string;
  readonly client: string;
  readonly identity: I;
  /** As it was at the node that had it before; absent: it is new. */
  readonly from?: SessionRecord;
}
