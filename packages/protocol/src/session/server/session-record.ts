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

/** What the welcome of an attach tells of the session: whether it was there before, or else which other one the client named. */
export interface AttachOutcome {
  readonly resumed: boolean;
  readonly was?: string;
}

export const CREATED: AttachOutcome = { resumed: false };
export const RESUMED: AttachOutcome = { resumed: true };

/** What a session begins with. */
export interface ServerSessionOptions<I extends Identity> {
  readonly cid: string;
  readonly sid: string;
  readonly client: string;
  readonly identity: I;
  /** As it was at the node that had it before; absent: it is new. */
  readonly from?: SessionRecord;
}

/** Who a session is, and whose. */
export class NamedSession<I extends Identity> {
  readonly sid: string;
  readonly cid: string;
  /** Its public name, which other clients see in `meta.by`. */
  readonly client: string;
  /** Who is behind it; replaced at each accepted attach and by refreshed credentials, always with the same `id`. */
  identity: I;
  /** The resume key that another node has issued; null: ours, which is issued again when it is asked for. */
  readonly foreignKey: string | null;

  constructor({ sid, cid, client, identity, from }: ServerSessionOptions<I>) {
    this.sid = sid;
    this.cid = cid;
    this.client = client;
    this.identity = identity;
    this.foreignKey = from?.key ?? null;
  }
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
