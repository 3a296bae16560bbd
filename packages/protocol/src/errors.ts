/**
 * The one table of codes (PROTOCOL §9) and the one error class. A code is append-only: its name, close code and verdict never change.
 */

/** What a client does when the code ends a link or a session. An operation that fails with a code just rejects with it. */
export type Verdict = 'fatal' | 'backoff' | 'retry' | 'refresh' | 'transport' | 'position';

export interface CodeEntry {
  /** WebSocket close code (RFC 6455 §7.4.2, private range), or null for codes that only operations carry. */
  readonly close: number | null;
  readonly verdict: Verdict;
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
  | 'broker_failed'
  | 'link_lost';

/** A code with which a client is closed for good. */
export type ClosingCode = Extract<
  Code,
  | 'closed'
  | 'protocol_error'
  | 'unauthorized'
  | 'credentials_expired'
  | 'forbidden_origin'
  | 'version_unsupported'
  | 'kicked'
  | 'frame_too_large'
  | 'forbidden'
>;

const entry = (close: number | null, verdict: Verdict): CodeEntry => ({ close, verdict });

/** Every code that Runnel itself uses, in the order in which PROTOCOL §9 lists them. */
export const CODES: Readonly<Record<Code, CodeEntry>> = {
  closed: entry(4000, 'fatal'),
  protocol_error: entry(4400, 'fatal'),
  unauthorized: entry(4401, 'refresh'),
  credentials_expired: entry(4402, 'refresh'),
  forbidden_origin: entry(4403, 'fatal'),
  version_unsupported: entry(4406, 'fatal'),
  slow_consumer: entry(4408, 'retry'),
  superseded: entry(4409, 'transport'),
  kicked: entry(4410, 'fatal'),
  silent: entry(4412, 'retry'),
  frame_too_large: entry(4413, 'fatal'),
  session_lost: entry(4420, 'position'),
  internal: entry(4500, 'backoff'),
  server_closing: entry(4503, 'backoff'),
  overloaded: entry(4529, 'backoff'),
  contract_invalid: entry(null, 'fatal'),
  channel_invalid: entry(null, 'fatal'),
  unknown_channel: entry(null, 'fatal'),
  unknown_event: entry(null, 'fatal'),
  unknown_method: entry(null, 'fatal'),
  validation_failed: entry(null, 'fatal'),
  payload_too_large: entry(null, 'fatal'),
  forbidden: entry(null, 'fatal'),
  limit_reached: entry(null, 'backoff'),
  handler_failed: entry(null, 'backoff'),
  timeout: entry(null, 'backoff'),
  canceled: entry(null, 'fatal'),
  indeterminate: entry(null, 'backoff'),
  queue_full: entry(null, 'backoff'),
  disconnected: entry(null, 'backoff'),
  transport_unavailable: entry(null, 'transport'),
  broker_failed: entry(null, 'backoff'),
  link_lost: entry(null, 'retry'),
};

const codes = new Map<string, CodeEntry>(Object.entries(CODES));

/** Whether `code`, as it came from a peer, is in the table. */
export function isCode(code: string): code is Code {
  return codes.has(code);
}

/** A code from the wire; `internal`, whose verdict it shares, for an unknown one (a newer peer's). */
export function codeOf(code: string): Code {
  return isCode(code) ? code : 'internal';
}

/** The code with which a client is closed where its server has said `code`; `protocol_error` for one that has no business there. */
export function closingCodeOf(code: string): ClosingCode {
  return codes.get(code)?.close || code === 'forbidden' ? (code as ClosingCode) : 'protocol_error';
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
    this.retryable = options.retryable ?? (isCode(code) && verdictOf(code) !== 'fatal');
    Object.defineProperty(this, brand, { value: true });
  }

  static is(value: unknown): value is RunnelError {
    return typeof value === 'object' && value !== null && brand in value;
  }
}
