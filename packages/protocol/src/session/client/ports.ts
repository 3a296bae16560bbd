/** What the client's session core asks of the code around it, and what it tells the application layer above. */
import type { ClosingCode, Code } from '../../errors.ts';
import type { AppDownFrame, AttachSub, Transport, WelcomeLimits } from '../../wire/frames.ts';
import type { Line } from '../ledger.ts';
import type { IdentityState } from './identity.ts';
import type { IncarnationState } from './incarnation.ts';

/**
 * Something to be done outside. Carriers (sockets and requests) are named by numbers that are never used twice. Drained with
 * `ClientSession.takeEffects` after every input, and carried out in order.
 */
export type Effect =
  /** Open a WebSocket. Answer with `handleOpen`, `handleLine` …, `handleEnd`. */
  | { readonly type: 'open'; readonly carrier: number }
  /** Send one text message on an open WebSocket. */
  | { readonly type: 'send'; readonly carrier: number; readonly text: string }
  /** POST a body; hand over each line of the answer as it comes (`stream`) or at the latest when it is complete. */
  | { readonly type: 'request'; readonly carrier: number; readonly body: string; readonly stream: boolean }
  /** Close the WebSocket or abort the request. Nothing more is heard of it. */
  | { readonly type: 'drop'; readonly carrier: number; readonly code: number; readonly reason: string }
  /** Find out the credentials and answer with `handleCredentials`. `refresh`: the ones used last were refused. */
  | { readonly type: 'credentials'; readonly refresh: boolean };

/** Where a client stands. `open` means that a session is attached over `transport`. Times are those given to the core, ms. `reason` is for people. */
export type ConnectionState =
  | { readonly status: 'idle' }
  | { readonly status: 'connecting'; readonly attempt: number }
  | { readonly status: 'open'; readonly transport: Transport; readonly since: number; readonly resumed: boolean }
  | {
      readonly status: 'reconnecting';
      readonly willReconnect: true;
      /** Why the last link is gone, or what the server has said to an attempt since. */
      readonly code: Code;
      readonly reason: string;
      readonly attempt: number;
      /** When the next attempt is made; at or before now: one is under way. */
      readonly retryAt: number;
    }
  | { readonly status: 'closed'; readonly willReconnect: false; readonly code: ClosingCode; readonly reason: string };

/** One thing that was tried, for `diagnose()`. */
export interface Attempt {
  /** When it was decided, on the core's clock, ms. */
  readonly at: number;
  readonly transport: Transport;
  readonly step: 'open' | 'probe' | 'attach' | 'live';
  readonly outcome: 'ok' | 'failed';
  /** How long it took, or how long the link lived, ms. */
  readonly tookMs: number;
  readonly reason: string;
}

export interface ClientApp {
  /** The channels to subscribe should the attach make a new incarnation. */
  subs(): readonly AttachSub[];
  /** The incarnation is over. What was under way is settled or queued; called before `attached`, or before a new session is sought. */
  lost(): void;
  /** A welcome was adopted. `subs` are the ones that a new incarnation has been asked for already; null when it resumed. */
  attached(subs: readonly AttachSub[] | null): void;
  frame(frame: AppDownFrame): void;
  state(state: ConnectionState): void;
  attempt(attempt: Attempt): void;
}

/** What channels need of a session; `ClientSession` has it. */
export interface SessionPort {
  /** What carries it. While nothing does, calls wait in the queue of channels: so it is certain that they were not sent, should the session be lost. */
  readonly transport: Transport | null;
  /** Whether what may be lost had better wait. */
  readonly holdsLoose: boolean;
  readonly client: string | null;
  readonly limits: WelcomeLimits | null;
  /** Takes counted frames; `flush` sends them. False, and none taken: the outbox is full. */
  send(lines: readonly Line[]): boolean;
  /** Takes a frame that may be lost. False: it was. */
  sendLoose(line: Line): boolean;
  flush(now: number): void;
}

export interface ClientSessionOptions {
  readonly app: ClientApp;
  /** Allowed transports; at least one. */
  readonly transports: readonly Transport[];
  /** A new random name of at most 64 characters. */
  readonly newId: () => string;
  /** A random number in [0, 1). */
  readonly random: () => number;
  /** Whether there are credentials to ask for before the first attach. */
  readonly hasCredentials: boolean;
  /** Where another object has stopped carrying the session, for this one to carry it on. Default: a session of its own. */
  readonly resume?: SessionState | undefined;
}

/** All there is to know to carry a session on elsewhere: plain data, and as secret as the resume key in it. */
export interface SessionState {
  readonly identity: IdentityState;
  readonly incarnation: IncarnationState;
}
