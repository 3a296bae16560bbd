/** One HTTP request and its answer. Whoever holds it may answer at any time; it knows by itself whether anybody is still there. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Answer, type Code, type DownFrame, encodeFrame, type Identity, Type } from '@runnel/protocol';
import { joinLines } from '../batch.ts';
import { type SharedLine, sharedLine } from '../shared-line.ts';
import type { Carrier, Edge } from './edge.ts';

/** PROTOCOL §6.1. `no-transform` keeps proxies from compressing, X-Accel-Buffering and the content type keep them from holding back. */
const HEADERS = [
  'Content-Type',
  'application/octet-stream',
  'Cache-Control',
  'no-store, no-transform',
  'X-Accel-Buffering',
  'no',
];

export interface Refusal {
  readonly status: 400 | 403 | 405 | 413 | 426 | 503;
  readonly code: Code;
  readonly reason: string;
  readonly retryMs?: number;
  /** More headers, as a flat list. */
  readonly headers?: readonly string[];
  /** Whether the connection ends with the answer. */
  readonly last?: boolean;
}

export class Exchange<I extends Identity> implements Answer<SharedLine>, Carrier {
  readonly request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #edge: Edge<I>;
  /** CORS headers for the page that asks, if it is of another origin. */
  readonly #cors: readonly string[];
  /** `body`: the answer has begun and has an open end; `spent`: the end came. `gone`: the client left before it had everything. */
  #state: 'open' | 'answered' | 'body' | 'spent' | 'gone' = 'open';
  /** Called when the client leaves before it was answered, or when a body is over, whoever ended it. */
  onClosed: (() => void) | null = null;
  /** Called when what was written to the body has drained. */
  onDrain: (() => void) | null = null;

  constructor(edge: Edge<I>, request: IncomingMessage, response: ServerResponse, cors: readonly string[]) {
    this.request = request;
    this.#response = response;
    this.#edge = edge;
    this.#cors = cors;
    edge.enter(this);
    // A broken connection shows in 'close' as well; without a listener the error would end the process.
    response.on('error', () => {});
    response.on('close', () => this.#handleClosed());
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }
  /** Bytes of the body that have not been sent. */
  get unsentBytes(): number {
    return this.#response.writableLength;
  }

  /** Answers with the lines and ends. */
  end(lines: readonly SharedLine[]): void {
    this.#answer(200, joinLines(lines), []);
  }

  /** Answers with one frame and ends. */
  endWith(frame: DownFrame): void {
    this.end([sharedLine(encodeFrame(frame))]);
  }

  /** Refuses a request that is none of the protocol's (PROTOCOL §6.1). */
  refuse({ status, code, reason, retryMs = 0, headers = [], last = false }: Refusal): void {
    if (last && this.request.httpVersionMajor < 2) this.#response.shouldKeepAlive = false;
    this.#answer(status, joinLines([sharedLine(encodeFrame([Type.goaway, code, reason, retryMs]))]), headers);
  }

  /** Answers without a body. */
  endEmpty(status: number, headers: readonly string[]): void {
    if (this.#state !== 'open') return;
    this.#state = 'answered';
    this.#response.writeHead(status, [...this.#cors, ...headers]);
    this.#response.end();
  }

  /** Begins an answer without an end. Its head goes out with the first bytes. */
  openBody(): void {
    if (this.#state !== 'open') return;
    this.#state = 'body';
    this.request.socket?.setNoDelay?.(true);
    this.#writeHead(200, []);
  }

  write(bytes: Buffer): void {
    if (this.#state === 'body') this.#response.write(bytes);
  }

  /** Ends a body after what was written. */
  endBody(): void {
    if (this.#state !== 'body') return;
    this.#state = 'spent';
    this.#response.end();
  }

  destroy(): void {
    this.#response.destroy();
  }

  #answer(status: number, bytes: Buffer, headers: readonly string[]): void {
    if (this.#state !== 'open') return;
    this.#state = 'answered';
    this.#writeHead(status, [...headers, 'Content-Length', String(bytes.length)]);
    this.#response.end(bytes);
  }

  #writeHead(status: number, headers: readonly string[]): void {
    if (this.onDrain !== null) this.#response.on('drain', this.onDrain);
    // A server that closes lets go of its connections one by one, each after its last answer.
    if (this.#edge.closingRetryMs !== null && this.request.httpVersionMajor < 2) this.#response.shouldKeepAlive = false;
    this.#response.writeHead(status, [...HEADERS, ...this.#cors, ...headers]);
  }

  #handleClosed(): void {
    this.#edge.leave(this);
    if (this.#state === 'answered') return;
    this.#state = 'gone';
    this.onClosed?.();
  }
}
