/** One HTTP request and its answer. Whoever holds it may answer at any time; it knows by itself whether anybody is still there. */
import { type Answer, type Code, type DownFrame, encodeFrame, type Identity, Type } from '@runnel/protocol';
import type { OriginVerdict } from '../origin.ts';
import { type SharedLine, sharedLine } from '../shared-line.ts';
import type { Carrier, Edge } from './edge.ts';
import type { CallListener, HttpCall } from './http-call.ts';

/** PROTOCOL §6.1. `no-transform` keeps proxies from compressing, X-Accel-Buffering and the content type keep them from holding back. */
const HEADERS = ['Cache-Control', 'no-store, no-transform', 'X-Accel-Buffering', 'no'];
/** Of the protocol's own answers. */
const FRAMES = 'application/octet-stream';

/** No headers. */
const NONE: readonly string[] = [];

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

/** Who waits for something to become of an exchange. */
export interface ExchangeHolder<I extends Identity> {
  /** The client has left before it was answered, or a body is over, whoever ended it. */
  handleLeft(exchange: Exchange<I>): void;
  /** What was written to the body has drained. */
  handleDrained?(): void;
}

export class Exchange<I extends Identity> implements Answer<SharedLine>, Carrier, CallListener {
  readonly call: HttpCall;
  /** Who it is, where the app has said so itself; null: `authenticate` is asked. */
  readonly known: I | null;
  readonly origin: OriginVerdict;
  readonly #edge: Edge<I>;
  /** CORS headers for the page that asks, if it is of another origin. */
  readonly #cors: readonly string[];
  /** `body`: the answer has begun and has an open end; `spent`: the end came. `gone`: the client left before it had everything. */
  #state: 'open' | 'answered' | 'body' | 'spent' | 'gone' = 'open';
  heldBy: object | null = null;
  /** Whom it tells what becomes of it. */
  holder: ExchangeHolder<I> | null = null;

  constructor(edge: Edge<I>, call: HttpCall, known: I | null = null) {
    this.call = call;
    this.known = known;
    this.#edge = edge;
    const { headers } = call;
    this.origin = edge.origins.judge(headers);
    this.#cors =
      this.origin === 'listed' && headers.origin !== undefined ? edge.origins.corsHeaders(headers.origin) : NONE;
    edge.enter(this);
    call.listener = this;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }
  /** Bytes of the body that have not been sent. */
  get unsentBytes(): number {
    return this.call.unsentBytes;
  }

  /** Answers with the lines and ends. */
  end(lines: readonly SharedLine[]): void {
    let bytes = 0;
    for (const { size } of lines) bytes += size;
    this.#answer(200, FRAMES, bytes, textOf(lines), NONE);
  }

  /** Answers with one frame and ends. */
  endWith(frame: DownFrame): void {
    this.end([sharedLine(encodeFrame(frame))]);
  }

  /** Refuses a request that is none of the protocol's (PROTOCOL §6.1). */
  refuse({ status, code, reason, retryMs = 0, headers = [], last = false }: Refusal): void {
    if (last) this.call.endConnection();
    const line = sharedLine(encodeFrame([Type.goaway, code, reason, retryMs]));
    this.#answer(status, FRAMES, line.size, textOf([line]), headers);
  }

  /** Answers with what another node has answered. */
  relay(status: number, headers: readonly string[], body: string): void {
    if (this.#state !== 'open') return;
    this.#state = 'answered';
    this.call.answer(status, headers, Buffer.from(body));
  }

  /** Answers with a whole body and ends. */
  answer(status: number, contentType: string, body: Buffer, headers: readonly string[] = NONE): void {
    this.#answer(status, contentType, body.length, body, headers);
  }

  #answer(status: number, contentType: string, bytes: number, body: Buffer | string, headers: readonly string[]): void {
    if (this.#state !== 'open') return;
    this.#state = 'answered';
    this.call.answer(status, this.#head(contentType, ['Content-Length', String(bytes), ...headers]), body);
  }

  /** Our requests need no preflight, but what sits in a page (a service worker, an extension) may make them need one. */
  preflight(method: 'POST' | 'GET'): void {
    if (this.#state !== 'open') return;
    this.#state = 'answered';
    const wanted = this.call.headers['access-control-request-headers'];
    const allowed = wanted === undefined ? [] : ['Access-Control-Allow-Headers', wanted];
    const methods = ['Access-Control-Allow-Methods', method, 'Access-Control-Max-Age', '600'];
    this.call.answer(204, [...this.#cors, 'Allow', `${method}, OPTIONS`, ...methods, ...allowed], null);
  }

  /** Begins an answer without an end. Its head goes out with the first bytes. */
  openBody(contentType: string = FRAMES): void {
    if (this.#state !== 'open') return;
    this.#state = 'body';
    this.call.open(200, this.#head(contentType, NONE));
  }

  write(bytes: Buffer): void {
    if (this.#state === 'body') this.call.write(bytes);
  }

  /** Ends a body after what was written. */
  endBody(): void {
    if (this.#state !== 'body') return;
    this.#state = 'spent';
    this.call.end();
  }

  destroy(): void {
    this.call.destroy();
  }

  handleClosed(): void {
    this.#edge.leave(this);
    if (this.#state === 'answered') return;
    this.#state = 'gone';
    this.holder?.handleLeft(this);
  }

  handleDrain(): void {
    this.holder?.handleDrained?.();
  }

  #head(contentType: string, headers: readonly string[]): string[] {
    // A server that closes lets go of its connections one by one, each after its last answer.
    if (this.#edge.closingRetryMs !== null) this.call.endConnection();
    return ['Content-Type', contentType, ...HEADERS, ...this.#cors, ...headers];
  }
}

/** The lines as they stand in a body. With a head before it a string is one write, and bytes are two. */
function textOf(lines: readonly SharedLine[]): string {
  let text = '';
  for (const line of lines) text += `${line.text}\n`;
  return text;
}
