/** The parts of an explanation. */
import type { Transport } from '@runnel/protocol';

/**
 * How a client fares. `good`: over the best transport it may use. `degraded`: connected, and something on the path is in the way. `pending`: not yet, and
 * nothing is wrong so far. `down`: not connected, and tried again. `closed`: not connected, and not tried again.
 */
export type Health = 'good' | 'degraded' | 'pending' | 'down' | 'closed';

export type FindingKind =
  // of a transport
  /** It carries the session. */
  | 'carries'
  /** It was proven, and something better carries the session. */
  | 'works'
  | 'untried'
  /** It is better than what carries the session, and is being tried. */
  | 'trying'
  /** The options, or `use`, do not allow it. */
  | 'excluded'
  /** Where it runs there is no such thing. */
  | 'unsupported'
  /** It is refused at once, while other requests get through. */
  | 'blocked'
  /** It is never answered, while other requests are. */
  | 'swallowed'
  /** It opens, and then nothing comes through. */
  | 'mute'
  /** Answers are kept back until they are whole. */
  | 'held'
  /** Somebody else answers in the server's place. */
  | 'intercepted'
  /** An HTTP status that is not the server's. */
  | 'status'
  /** Frames are lost or repeated on the way. */
  | 'altered'
  /** Nothing gets through, by any transport. */
  | 'unreachable'
  /** The server itself has refused it. */
  | 'refused'
  // of the connection
  | 'offline'
  | 'cut'
  /** Of a transport too: it carried the session, was lost, and is tried again. */
  | 'lost'
  /** A link went silent and was replaced, or another transport was asked for. */
  | 'doubted'
  | 'restart'
  | 'credentials'
  | 'slow'
  | 'changed'
  | 'shared'
  | 'closed';

/** One thing that was found out, in words. Each but `title` may be empty. */
export interface Finding {
  /** Null: it concerns the connection as a whole. */
  readonly transport: Transport | null;
  readonly kind: FindingKind;
  /** Whether something is wrong that somebody could put right. */
  readonly isProblem: boolean;
  /** One sentence without its full stop. */
  readonly title: string;
  /** What was tried, what came back, and since when. */
  readonly evidence: string;
  /** What that usually means. */
  readonly meaning: string;
  /** What to do about it, the likeliest first; settings of proxies stand in backticks. */
  readonly remedies: readonly string[];
  /** Whether and when it is tried again. */
  readonly retry: string;
}

/** A finding from what is not empty of it. */
export function finding(
  kind: FindingKind,
  transport: Transport | null,
  title: string,
  words: Partial<Pick<Finding, 'isProblem' | 'evidence' | 'meaning' | 'remedies' | 'retry'>> = {},
): Finding {
  return { kind, transport, title, isProblem: true, evidence: '', meaning: '', remedies: [], retry: '', ...words };
}

export const TITLES: Readonly<Record<Transport, string>> = {
  websocket: 'WebSocket',
  stream: 'Stream',
  poll: 'Polling',
};
