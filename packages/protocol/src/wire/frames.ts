/**
 * The frames of PROTOCOL §3 as types, and the table that says of each type whether it is counted and who may send it.
 * Reading and checking lines is `read.ts`; writing them is `write.ts`.
 */

/** PROTOCOL §4.0: the version of the protocol that an attach names. */
export const PROTOCOL_VERSION = 1;

/** A kind of carrier. */
export type Transport = 'websocket' | 'stream' | 'poll';

/** From best to last. */
export const TRANSPORTS: readonly Transport[] = ['websocket', 'stream', 'poll'];

/** Frame types by name. From 16 on a frame is counted (PROTOCOL §1). */
export const Type = {
  attach: 0,
  welcome: 0,
  ping: 1,
  pong: 2,
  ack: 3,
  goaway: 4,
  refresh: 5,
  probe: 6,
  probed: 7,
  fenced: 8,
  volatile: 9,
  poll: 10,
  post: 11,
  echo: 12,
  end: 13,
  reattach: 14,
  retry: 15,
  message: 16,
  subscribed: 17,
  request: 18,
  result: 19,
  error: 20,
  cancel: 21,
  publish: 22,
  skipped: 23,
  presence: 24,
  snapshot: 25,
  revoked: 26,
  part: 27,
  subscribe: 28,
  unsubscribe: 29,
  fragment: 30,
} as const;

/** PROTOCOL §1: whether frames of this type are numbered, kept and sent again. */
export const isCounted = (type: number): boolean => type >= 16;

/** A place in a channel's log. */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

export interface SubscribeOptions {
  readonly since?: Position;
  /** How many of the latest messages to receive first, where there is no `since`. */
  readonly rewind?: number;
}

/** `[id, channelName, options]`: an entry of an attach's `subs`. */
export type AttachSub = readonly [id: number, channelName: string, options: SubscribeOptions];

/** PROTOCOL §4.0 */
export interface Attach {
  readonly v: number;
  readonly cid: string;
  readonly key?: string;
  readonly node?: string;
  readonly gen: number;
  readonly rx: number;
  readonly mode: Transport;
  /** ms; only with mode `poll`; 0: answer at once. */
  readonly hold?: number;
  readonly auth?: unknown;
  readonly subs?: readonly AttachSub[];
}

/** What a server tells its clients of its bounds, in its welcome. */
export interface WelcomeLimits {
  /** Bytes of one message's `data` as JSON. */
  readonly messageBytes: number;
  /** Bytes that each side keeps unacknowledged; the peer acknowledges by a quarter of it. */
  readonly outboxBytes: number;
  /** The longest a poll is held, ms. */
  readonly holdMs: number;
  /** How long an idempotency key is remembered, ms. */
  readonly dedupMs: number;
  /** How long a session outlives its last link, ms. */
  readonly ttlMs: number;
}

/** PROTOCOL §4.0 */
export interface Welcome {
  /** The attach's: an answer that a proxy had kept from another client shows by it. */
  readonly cid: string;
  readonly key: string;
  readonly sid: string;
  readonly was?: string;
  readonly node: string;
  readonly gen: number;
  readonly resumed: boolean;
  readonly rx: number;
  readonly base: number;
  readonly client: string;
  readonly heartbeatMs: number;
  readonly limits: WelcomeLimits;
  readonly transports: readonly Transport[];
}

export interface PollHeader {
  readonly key: string;
  readonly node: string;
  readonly gen: number;
  readonly n: number;
  readonly rx: number;
  /** ms */
  readonly hold: number;
}

export interface PollAnswer {
  readonly sid: string;
  readonly gen: number;
  readonly n: number;
  readonly base: number;
  readonly rx: number;
}

export interface PostHeader {
  readonly key: string;
  readonly node: string;
  readonly gen: number;
  /** Number of the POST within its generation, from 1. */
  readonly n: number;
  readonly base: number;
  readonly rx?: number;
}

export interface PostAnswer {
  readonly sid: string;
  readonly gen: number;
  readonly rx: number;
}

/** What a server vouches for about one who is present. */
export interface PresenceEntry {
  readonly id: string;
  readonly data: unknown;
  /** False while the session of the member has no link. */
  readonly connected: boolean;
}

/** PROTOCOL §5.17 */
export interface Subscribed {
  /** The channel's number in the messages that follow. */
  readonly n: number;
  readonly epoch: string;
  readonly offset: number;
  /** Offset of the newest message of the log: what follows up to it comes from the history. */
  readonly head: number;
  readonly recovered: boolean | null;
  /** Event names by index. */
  readonly events: readonly string[];
  /** Whether a snapshot follows. */
  readonly snapshot?: boolean;
  readonly presence?: readonly PresenceEntry[];
}

export interface PresenceChange {
  readonly joined?: readonly PresenceEntry[];
  readonly left?: readonly string[];
}

/** PROTOCOL §5.16 */
export interface MessageMeta {
  /** Public name of the session whose publish caused the message. */
  readonly by?: string;
}

export type PingFrame = readonly [type: 1, t: number, rx?: number];
export type PongFrame = readonly [type: 2, t: number, rx?: number];
export type AckFrame = readonly [type: 3, rx: number];
export type GoawayFrame = readonly [type: 4, code: string, reason: string, retryMs: number, gen?: number];
export type MessageFrame = readonly [
  type: 16,
  channel: number,
  offset: number | readonly [offset: number, prev: number],
  event: number,
  data: unknown,
  meta?: MessageMeta,
];
/** PROTOCOL §5.18 */
export interface RequestOptions {
  /** Parts of a streamed answer that may come before more are allowed; absent: it is not streamed. */
  readonly credit?: number;
  /** Whether it went up in an earlier incarnation. */
  readonly again?: boolean;
}
export type RequestFrame = readonly [
  type: 18,
  id: number,
  channelName: string,
  method: string,
  data: unknown,
  timeoutMs?: number,
  options?: RequestOptions,
];
export type PublishFrame = readonly [
  type: 22,
  id: number,
  channelName: string,
  eventName: string,
  data: unknown,
  idemKey: string,
];
export type FragmentFrame = readonly [type: 30, more: 0 | 1, text: string];

/** What a server sends. */
export type DownFrame =
  | readonly [type: 0, welcome: Welcome]
  | PingFrame
  | PongFrame
  | AckFrame
  | GoawayFrame
  | readonly [type: 5, withinMs: number]
  | readonly [type: 7, nonce: string, token?: string]
  | readonly [type: 8, gen: number]
  | readonly [type: 9, channel: number, event: number, data: unknown, meta?: MessageMeta]
  | readonly [type: 10, answer: PollAnswer]
  | readonly [type: 11, answer: PostAnswer]
  | readonly [type: 12]
  | readonly [type: 13]
  | readonly [type: 14, gen: number]
  | readonly [type: 15, gen: number, retryMs: number]
  | MessageFrame
  | readonly [type: 17, id: number, subscribed: Subscribed]
  | readonly [type: 19, id: number, data?: unknown]
  | readonly [type: 20, id: number, code: string, message: string, retryable: boolean, data?: unknown]
  | readonly [type: 23, channel: number, from: number, to: number]
  | readonly [type: 24, channel: number, change: PresenceChange]
  | readonly [type: 25, channel: number, data: unknown]
  | readonly [type: 26, channel: number, code: string, message: string]
  | readonly [type: 27, id: number, data: unknown]
  | FragmentFrame;

/** What a client sends. */
export type UpFrame =
  | readonly [type: 0, attach: Attach]
  | PingFrame
  | PongFrame
  | AckFrame
  | GoawayFrame
  | readonly [type: 6, nonce: string]
  | readonly [type: 9, channelName: string, eventName: string, data: unknown]
  | readonly [type: 10, header: PollHeader]
  | readonly [type: 11, header: PostHeader]
  | readonly [type: 12, token: string]
  | RequestFrame
  | readonly [type: 21, id: number]
  | PublishFrame
  | readonly [type: 27, id: number, credit: number]
  | readonly [type: 28, id: number, channelName: string, options: SubscribeOptions]
  | readonly [type: 29, channelName: string]
  | FragmentFrame;

/** The frames that a session hands to the application layer above it (hub, channels), per direction. */
export type AppUpFrame = Extract<UpFrame, readonly [9 | 18 | 21 | 22 | 27 | 28 | 29, ...unknown[]]>;
export type AppDownFrame = Extract<
  DownFrame,
  readonly [5 | 9 | 16 | 17 | 19 | 20 | 23 | 24 | 25 | 26 | 27, ...unknown[]]
>;
