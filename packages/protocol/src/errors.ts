/**
 * The one table of codes (PROTOCOL §9) and the one error class. A code is append-only: its name, close code and verdict never change.
 */

/** What a client does when the code ends a link or a session. An operation that fails with a code just rejects with it. */
export type Verdict = 'fatal' | 'backoff' | 'retry' | 'refresh' | 'transport' | 'position';

export interface CodeEntry {
  /** WebSocket close code (RFC 6455 §7.4.2, private range), or null for codes that only operations carry. */
  readonly close: number | null;
  readonly verdict: Verdict;
  readonly meaning: string;
}

/** A code of the table. */
export type Code =
  | 'closed'
  | 'protocol_error'
  | 'unauthorized'
  | 'credentials_expired'
  | 'forbidden_origin'
  | 'version_unsupported'
  | 'slow_consumer'
  | 'superseded'
  | 'kicked'
  | 'silent'
  | 'frame_too_large'
  | 'session_lost'
  | 'internal'
  | 'server_closing'
  | 'overloaded'
  | 'contract_invalid'
  | 'channel_invalid'
  | 'unknown_channel'
  | 'unknown_event'
  | 'unknown_method'
  | 'validation_failed'
  | 'payload_too_large'
  | 'forbidden'
  | 'limit_reached'
  | 'handler_failed'
  | 'timeout'
  | 'canceled'
  | 'indeterminate'
  | 'queue_full'
  | 'disconnected'
  | 'transport_unavailable'
  | 'broker_failed';

const entry = (close: number | null, verdict: Verdict, meaning: string): CodeEntry => ({ close, verdict, meaning });

/** Every code that Runnel itself uses, in the order in which PROTOCOL §9 lists them. */
export const CODES: Readonly<Record<Code, CodeEntry>> = {
  closed: entry(4000, 'fatal', 'the other side closed the session on purpose'),
  protocol_error: entry(4400, 'fatal', 'a frame could not be read, or broke a rule of this document'),
  unauthorized: entry(4401, 'refresh', '`authenticate` refused the credentials'),
  credentials_expired: entry(4402, 'refresh', 'the credentials ran out and were not refreshed in time'),
  forbidden_origin: entry(4403, 'fatal', "the page's origin is not on the allow-list"),
  version_unsupported: entry(4406, 'fatal', 'the server does not speak this protocol version'),
  slow_consumer: entry(4408, 'retry', 'the client did not drain what was sent'),
  superseded: entry(4409, 'transport', 'another link took the session over'),
  kicked: entry(4410, 'fatal', 'the application ended this session'),
  silent: entry(4412, 'retry', 'nothing was heard on the link for too long'),
  frame_too_large: entry(4413, 'fatal', 'a line or message exceeded its limit'),
  session_lost: entry(4420, 'position', 'the session is gone; a new one was made'),
  internal: entry(4500, 'backoff', 'the server failed'),
  server_closing: entry(4503, 'backoff', 'the server is shutting down or restarting'),
  overloaded: entry(4529, 'backoff', 'the server refuses new work for now'),
  contract_invalid: entry(null, 'fatal', 'the contract was declared wrongly'),
  channel_invalid: entry(null, 'fatal', 'a channel name or its parameters are not valid'),
  unknown_channel: entry(null, 'fatal', 'no pattern of the contract matches the channel'),
  unknown_event: entry(null, 'fatal', 'the channel declares no such event, or clients may not publish it'),
  unknown_method: entry(null, 'fatal', 'the channel declares no such request'),
  validation_failed: entry(null, 'fatal', 'the payload does not satisfy its schema'),
  payload_too_large: entry(null, 'fatal', 'the payload exceeds the message limit'),
  forbidden: entry(null, 'fatal', '`authorize` refused'),
  limit_reached: entry(null, 'backoff', 'too many channels, or too many unanswered calls'),
  handler_failed: entry(null, 'backoff', "the server's handler threw"),
  timeout: entry(null, 'backoff', 'no answer in time'),
  canceled: entry(null, 'fatal', 'the caller canceled'),
  indeterminate: entry(null, 'backoff', 'the session was lost while the call was under way: it may or may not have run'),
  queue_full: entry(null, 'backoff', 'the queue for times without a connection is full'),
  disconnected: entry(null, 'backoff', 'the client is closed or was never connected'),
  transport_unavailable: entry(null, 'transport', 'the transport asked for could not be proven'),
  broker_failed: entry(null, 'backoff', 'the broker did not accept the message'),
};

const codes = new Map<string, CodeEntry>(Object.entries(CODES));

/** Whether `code`, as it came from a peer, is in the table. */
export function isCode(code: string): code is Code {
  return codes.has(code);
}

/** The verdict of a code from the wire; an unknown one (a newer peer's) means: back off. */
export function verdictOf(code: string): Verdict {
  return codes.get(code)?.verdict ?? 'backoff';
}

/** The WebSocket close code for `code`; 4500 for those that have none. */
export function closeCodeOf(code: string): number {
  return codes.get(code)?.close ?? 4500;
}

/** The code for a WebSocket close code, or null where the table has none. */
export function codeOfClose(close: number): Code | null {
  for (const [code, { close: number }] of codes) if (number === close) return code as Code;
  return null;
}

export interface RunnelErrorOptions {
  readonly cause?: unknown;
  /** What a program can use of the error: `{issues}` for `validation_failed`, the declared data of an application error. */
  readonly data?: unknown;
  /** Whether the same call may succeed later; by default what the code's verdict says. */
  readonly retryable?: boolean;
}

const brand: symbol = Symbol.for('runnel.error');

/**
 * The one error class of Runnel, at both ends. `code` is a code of PROTOCOL §9, or the name of an error that the contract declares.
 * Use `RunnelError.is(error)` rather than `instanceof`: it also recognises errors of another copy of the package.
 */
export class RunnelError<C extends string = string> extends Error {
  readonly code: C;
  readonly data: unknown;
  readonly retryable: boolean;

  constructor(code: C, message: string, options: RunnelErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'RunnelError';
    this.code = code;
    this.data = options.data;
    this.retryable = options.retryable ?? (isCode(code) && CODES[code].verdict !== 'fatal');
    Object.defineProperty(this, brand, { value: true });
  }

  static is(value: unknown): value is RunnelError {
    return typeof value === 'object' && value !== null && brand in value;
  }
}
