import type { Line } from '../ledger.ts';
import type { Identity } from './ports.ts';
import type { ServerSession } from './server-session.ts';

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

export function recordOf<L extends Line, I extends Identity>(
  { sid, cid, key, client, gen, confirmed, ledger }: ServerSession<L, I>,
  slices: string,
): SessionRecord {
  const { rx, acked, ob } = ledger;
  return {
    sid,
    cid,
    key,
    client,
    gen,
    confirmed,
    slices,
    rx,
    acked,
    ob,
    lines: ledger.slice(ob).map(({ text }) => text),
  };
}
