/** What the server's session core needs from the code around it: somewhere to write, and an application above. */
import type { Limits } from '../../limits.ts';
import type { AppUpFrame, AttachSub, Transport } from '../../wire/frames.ts';
import type { Line } from '../ledger.ts';
import type { ServerSession } from './server-session.ts';

/** A WebSocket or the body of an answered POST. */
export interface LinkPort<L extends Line> {
  readonly transport: 'websocket' | 'stream';
  /** Whether what was written has not drained, so that writing more would only fill memory. Followed by `ServerLink.handleDrain`. */
  readonly congested: boolean;
  /** Writes lines, in order, in one go. Never throws; a broken carrier reports itself by `ServerLink.handleClosed`. */
  write(lines: readonly L[]): void;
  /** Ends the carrier after what was written. */
  end(code: string, reason: string): void;
}

/** An HTTP request that waits for its whole answer. */
export interface Answer<L extends Line> {
  /** Sends the lines and ends. Called exactly once unless the request is reported closed first. */
  end(lines: readonly L[]): void;
  /** What the registry notes of it, and nobody else: the session that it waits in, or that its client left before there was one. Nothing at first. */
  heldBy?: object | null;
}

/** Who opened a session, as `authenticate` said. Sessions are bound to `id`. */
export interface Identity {
  readonly id: string;
}

/** The application layer above sessions: hub, handlers, hooks. */
export interface ServerApp<L extends Line, I extends Identity> {
  /** A new incarnation. Subscribe it to `subs` and call `settled` when each has been answered: an answer that must be complete waits for that. */
  created(session: ServerSession<L, I>, subs: readonly AttachSub[], settled: () => void): void;
  /** A frame taken in order, or a volatile one. */
  frame(session: ServerSession<L, I>, frame: AppUpFrame): void;
  /** The client has been heard of after its welcome (PROTOCOL §8.8). */
  confirmed(session: ServerSession<L, I>): void;
  /** The session was attached anew by the same identity: authorise again. */
  resumed(session: ServerSession<L, I>): void;
  /** Nothing carries the session any more: its link is gone, or its client has sent no poll for some seconds. True: something does again. */
  reachable(session: ServerSession<L, I>, reachable: boolean): void;
  /** The session's outbox outgrew its limit and was dropped (PROTOCOL §8.6). */
  overflowed?(session: ServerSession<L, I>): void;
  /** The incarnation is over; `code` says why. */
  ended(session: ServerSession<L, I>, code: string): void;
}

export interface RegistryOptions<L extends Line, I extends Identity> {
  readonly node: string;
  readonly limits: Limits;
  readonly transports: readonly Transport[];
  /** Sessions at once; an attach beyond it is refused with `overloaded`. */
  readonly sessionsMax: number;
  /** How long an attach's answer waits for its subscriptions, ms. */
  readonly settleMs: number;
  readonly app: ServerApp<L, I>;
  /** The clock that the registry's turns are given readings of, ms. Read where the application acts between turns. */
  readonly now: () => number;
  /** A new unguessable name of at most 64 characters. */
  readonly newId: () => string;
  /** The resume key for `sid`. */
  readonly issueKey: (sid: string) => string;
  /** What a key names; `genuine` says whether this server's secret signed it. Null: unreadable. */
  readonly readKey: (key: string) => { readonly sid: string; readonly genuine: boolean } | null;
  /** Makes the line of one frame's text. */
  readonly line: (text: string) => L;
  /** Something was enqueued: call `flush` at the end of this turn. */
  readonly onWork: () => void;
}
