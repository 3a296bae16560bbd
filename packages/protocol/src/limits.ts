/** Every bound of PROTOCOL §3 and §8 in one place. Bytes are UTF-8 bytes, times are milliseconds. */
export interface Limits {
  /** One line on the wire. */
  readonly lineBytes: number;
  /** `data` of one message as JSON; larger lines travel as fragments. */
  readonly messageBytes: number;
  /** UTF-16 units of one fragment's slice. */
  readonly fragmentChars: number;
  readonly requestBodyBytes: number;
  readonly authBytes: number;
  readonly outboxBytes: number;
  readonly outboxFrames: number;
  /** Channels of one session, and entries of one attach's `subs`. */
  readonly channels: number;
  /** Unanswered requests and publishes of one session. */
  readonly calls: number;
  /** Volatile frames waiting for one link or poll; older ones are dropped. */
  readonly volatileBytes: number;
  /** Messages of one subscription, and their bytes, that wait while its session is slow (§5.23). */
  readonly waitingMessages: number;
  readonly waitingBytes: number;
  /** Bytes that one poll or POST carries, unless a single frame is larger. */
  readonly batchBytes: number;
  /** How long a session outlives its last link. */
  readonly ttlMs: number;
  /** How long a superseded WebSocket is kept. */
  readonly parkMs: number;
  /** How long a new session may stay unheard of. */
  readonly provisionalMs: number;
  readonly holdMs: number;
  readonly heartbeatMs: number;
  /** How long an idempotency key is remembered. */
  readonly dedupMs: number;
  /** How long a stream probe's token is good. */
  readonly probeMs: number;
}

export const DEFAULT_LIMITS: Limits = {
  lineBytes: 65_536,
  messageBytes: 1_048_576,
  fragmentChars: 16_384,
  requestBodyBytes: 1_114_112,
  authBytes: 16_384,
  outboxBytes: 4_194_304,
  outboxFrames: 16_384,
  channels: 1_000,
  calls: 1_000,
  volatileBytes: 65_536,
  waitingMessages: 1_000,
  waitingBytes: 1_048_576,
  batchBytes: 262_144,
  ttlMs: 120_000,
  parkMs: 10_000,
  provisionalMs: 10_000,
  holdMs: 25_000,
  heartbeatMs: 10_000,
  dedupMs: 300_000,
  probeMs: 10_000,
};

/** Bounds on the strings of the envelope (PROTOCOL §3), in characters. */
export const NAME_LIMITS = { token: 64, key: 256, channel: 256, name: 64 } as const;
