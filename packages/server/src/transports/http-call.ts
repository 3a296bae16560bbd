/** One HTTP request and the way back, whatever it came in by: node's HTTP servers, or a fetch handler. Nothing of the protocol is known here. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { AttachRequest } from '../handshake.ts';

export interface HttpCall {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** As the application sees it. */
  readonly request: AttachRequest;
  readonly body: Readable;
  /** The body, where something before us has read it. */
  readonly bodyRead: Buffer | null;
  /** Whether it came on an HTTP/1 connection that will be used again, so that headers may speak of the connection. */
  readonly keepsAlive: boolean;
  /** Bytes of an open answer that nobody has taken yet. */
  readonly unsentBytes: number;
  /** Who is told what becomes of the answer. Set once, before anything is answered. */
  listener: CallListener | null;

  /** What is left of the body is not wanted, and the connection ends with the answer as far as it is ours. */
  endConnection(): void;
  /** Answers and ends. `headers`: names and values by turns, as everywhere here. */
  answer(status: number, headers: readonly string[], body: Buffer | string | null): void;
  /** Begins an answer with an open end. Its head goes out at once, or with the first bytes. */
  open(status: number, headers: readonly string[]): void;
  /** To an open answer. */
  write(bytes: Buffer): void;
  /** Ends an open answer after what was written. */
  end(): void;
  /** Ends everything at once. */
  destroy(): void;
}

export interface CallListener {
  /** Everything was taken, or the client has gone. Called once. */
  handleClosed(): void;
  /** What was written has been taken, of an answer that was congested. */
  handleDrain(): void;
}
