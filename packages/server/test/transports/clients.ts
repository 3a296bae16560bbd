/** Clients as bare as can be: what goes up is given word for word, what comes down is shown as it came. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Attach, PollHeader, PostHeader, Welcome } from '@runnel/protocol';
import { onTestFinished } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import type { TestServer } from './test-server.ts';

// biome-ignore lint/suspicious/noExplicitAny: frames are compared element by element, whatever they are
export type Frame = any[];

export const lines = (...frames: unknown[]): string => frames.map((frame) => `${JSON.stringify(frame)}\n`).join('');
export const framesOf = (text: string): Frame[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly frames: Frame[];
}

export async function post(url: string, body: string | Uint8Array, init: RequestInit = {}): Promise<Answer> {
  const bytes = typeof body === 'string' ? body : new Uint8Array(body);
  const response = await fetch(url, { method: 'POST', body: bytes, ...init });
  return { status: response.status, headers: response.headers, frames: framesOf(await response.text()) };
}

export const attachFrame = (attach: Partial<Attach> = {}): [0, Attach] => [
  0,
  { v: 1, cid: 'c1', gen: 1, rx: 0, mode: 'poll', hold: 0, ...attach },
];

/** Attaches by poll, which must succeed. */
export async function attachByPoll({ url }: TestServer, attach: Partial<Attach> = {}): Promise<Welcome> {
  const { frames } = await post(url, lines(attachFrame(attach)));
  if (frames[0]?.[0] !== 0) throw new Error(`no welcome: ${JSON.stringify(frames)}`);
  return frames[0][1];
}

export const pollFrame = ({ key, gen }: Welcome, poll: Partial<PollHeader> = {}): [10, PollHeader] => [
  10,
  { key, node: 'n1', gen, n: 1, rx: 0, hold: 0, ...poll },
];
export const postFrame = ({ key, gen }: Welcome, header: Partial<PostHeader> = {}): [11, PostHeader] => [
  11,
  { key, node: 'n1', gen, n: 1, base: 0, ...header },
];
export const requestFrame = (id: number, data: unknown): Frame => [18, id, 'room', 'echo', data];

/** Things that come one by one and are waited for one by one. */
export class Arrivals<T> {
  readonly #here: T[] = [];
  readonly #waiting: ((item: T | null) => void)[] = [];
  #over = false;

  push(item: T): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#here.push(item);
    else waiting(item);
  }
  end(): void {
    this.#over = true;
    for (const waiting of this.#waiting.splice(0)) waiting(null);
  }
  /** The next one; null when there will be none. */
  next(): Promise<T | null> {
    const here = this.#here.shift();
    if (here !== undefined || this.#over) return Promise.resolve(here ?? null);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** A POST whose answer is read as it comes. */
export class Body {
  readonly #frames = new Arrivals<Frame>();
  readonly #abort: AbortController;
  readonly status: number;
  readonly headers: Headers;

  private constructor(response: Response, abort: AbortController) {
    this.status = response.status;
    this.headers = response.headers;
    this.#abort = abort;
    void this.#read(response);
  }

  static async open(
    url: string,
    body: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
  ): Promise<Body> {
    const abort = new AbortController();
    const response = await fetch(url, { method: 'POST', body, headers, signal: abort.signal });
    onTestFinished(() => abort.abort());
    return new Body(response, abort);
  }

  next(): Promise<Frame | null> {
    return this.#frames.next();
  }
  abort(): void {
    this.#abort.abort();
  }

  async #read(response: Response): Promise<void> {
    let rest = '';
    try {
      for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        const parts = (rest + chunk).split('\n');
        rest = parts.pop() ?? '';
        for (const line of parts) this.#frames.push(JSON.parse(line));
      }
    } catch {
      // Aborted, or cut by the server: either way nothing more comes.
    }
    this.#frames.end();
  }
}

export class TestSocket {
  readonly ws: WebSocket;
  readonly messages: Arrivals<string> = new Arrivals<string>();
  readonly closed: Promise<{ code: number; reason: string }>;
  #rest: string[] = [];

  private constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on('message', (data) => this.messages.push(String(data)));
    ws.on('error', () => {});
    this.closed = once(ws, 'close').then(([code, reason]) => {
      this.messages.end();
      return { code, reason: String(reason) };
    });
  }

  static async open(
    { url }: { url: string },
    headers: Record<string, string> = {},
    options: ClientOptions = {},
  ): Promise<TestSocket> {
    const ws = new WebSocket(url.replace('http', 'ws'), { headers, ...options });
    const socket = new TestSocket(ws);
    onTestFinished(() => ws.terminate());
    await once(ws, 'open');
    return socket;
  }

  send(...frames: unknown[]): void {
    this.ws.send(frames.map((frame) => JSON.stringify(frame)).join('\n'));
  }

  /** The next frame that is no acknowledgement: one of those may stand beside anything. */
  async next(): Promise<Frame | null> {
    while (this.#rest.length === 0) {
      const message = await this.messages.next();
      if (message === null) return null;
      this.#rest = message.split('\n').filter((line) => line !== '' && !line.startsWith('[3,'));
    }
    return JSON.parse(this.#rest.shift() as string);
  }

  async attach(attach: Partial<Attach> = {}): Promise<Welcome> {
    this.send(attachFrame({ mode: 'websocket', ...attach }));
    const frame = await this.next();
    if (frame?.[0] !== 0) throw new Error(`no welcome: ${JSON.stringify(frame)}`);
    return frame[1];
  }
}

/** A TCP connection on which HTTP is written by hand. */
export class RawConnection {
  readonly socket: Socket;
  /** Everything that came, latin1. */
  received = '';
  readonly ended: Promise<void>;
  #changed: () => void = () => {};

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (data) => {
      this.received += data.toString('latin1');
      this.#changed();
    });
    this.socket.on('error', () => {});
    this.ended = once(this.socket, 'close').then(() => this.#changed());
    onTestFinished(() => void this.socket.destroy());
  }

  write(text: string | Uint8Array): void {
    this.socket.write(text);
  }

  /** Resolves when what came has `text` in it; rejects when the connection ends without. */
  async until(text: string): Promise<string> {
    while (!this.received.includes(text)) {
      if (this.socket.destroyed) throw new Error(`ended without ${JSON.stringify(text)}: ${this.received}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
    return this.received;
  }
}

export interface RequestTextOptions {
  readonly version?: '1.0' | '1.1';
  /** Whole lines. */
  readonly headers?: string;
  readonly path?: string;
  readonly method?: string;
}

export const requestText = (
  body: string,
  { version = '1.1', headers = '', path = '/realtime', method = 'POST' }: RequestTextOptions = {},
): string =>
  `${method} ${path} HTTP/${version}\r\nHost: localhost\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
