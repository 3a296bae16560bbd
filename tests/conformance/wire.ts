/** Clients as bare as can be: what goes up is given word for word, and what comes down is shown as it came. */
import { once } from 'node:events';
import { connect as dial, type Socket } from 'node:net';
import type { Attach, PollHeader, PostHeader, Transport, Welcome } from '@runnel/protocol';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { Collector } from '../support/collector.ts';
import type { TestServer } from './test-server.ts';

/** A frame of any kind, or what claims to be one. */
export type Frame = readonly [type: number, ...rest: unknown[]];

export const linesOf = (...frames: readonly unknown[]): string =>
  frames.map((frame) => `${JSON.stringify(frame)}\n`).join('');

const framesIn = (text: string): Frame[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Frame);

/** The welcome that frames begin with. */
export function welcomeIn([first]: readonly Frame[]): Welcome {
  if (first?.[0] !== 0) throw new Error(`There is no welcome: ${JSON.stringify(first)}`);
  return first[1] as Welcome;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly frames: Frame[];
}

export async function post(server: TestServer, body: string | Uint8Array, init: RequestInit = {}): Promise<Answer> {
  const bytes = typeof body === 'string' ? body : new Uint8Array(body);
  const response = await fetch(server.url, { method: 'POST', body: bytes, ...init });
  const { status, headers } = response;
  return { status, headers, frames: framesIn(await response.text()) };
}

/** Like `post`, of frames. */
export const send = (server: TestServer, ...frames: readonly unknown[]): Promise<Answer> =>
  post(server, linesOf(...frames));

let clients = 0;

export const attachFrame = (attach: Partial<Attach> = {}): readonly [0, Attach] => [
  0,
  { v: 1, cid: 'c', gen: 1, rx: 0, mode: 'poll', hold: 0, auth: { user: 'mallory' }, ...attach },
];

export const newCid = (): string => `wire-${++clients}`;

/** A session that polls. */
export class PolledSession {
  readonly server: TestServer;
  readonly welcome: Welcome;
  /** What came with the welcome. */
  readonly first: readonly Frame[];

  private constructor(server: TestServer, welcome: Welcome, first: readonly Frame[]) {
    this.server = server;
    this.welcome = welcome;
    this.first = first;
  }

  static async open(server: TestServer, attach: Partial<Attach> = {}): Promise<PolledSession> {
    const { frames } = await send(server, attachFrame({ cid: newCid(), ...attach }));
    return new PolledSession(server, welcomeIn(frames), frames.slice(1));
  }

  pollFrame(poll: Partial<PollHeader> = {}): readonly [10, PollHeader] {
    const { key, node, gen } = this.welcome;
    return [10, { key, node, gen, n: 1, rx: 0, hold: 0, ...poll }];
  }

  postFrame(header: Partial<PostHeader> = {}): readonly [11, PostHeader] {
    const { key, node, gen } = this.welcome;
    return [11, { key, node, gen, n: 1, base: 0, ...header }];
  }

  poll(poll: Partial<PollHeader> = {}): Promise<Answer> {
    return send(this.server, this.pollFrame(poll));
  }

  post(header: Partial<PostHeader>, ...frames: readonly unknown[]): Promise<Answer> {
    return send(this.server, this.postFrame(header), ...frames);
  }

  attachAgain(attach: Partial<Attach> = {}): readonly [0, Attach] {
    const { key, node, gen } = this.welcome;
    return attachFrame({ key, node, gen: gen + 1, ...attach });
  }
}

/** What a session can do over any transport: lines up, frames down. */
export interface WireSession {
  readonly down: Collector<Frame>;
  /** Sends lines as they are. */
  up(text: string): Promise<void>;
  end(): void;
}

/** Opens a session over a transport, and lets the server hear of it after its welcome, as clients do. */
export async function openSession(server: TestServer, transport: Transport): Promise<WireSession> {
  let session: WireSession;
  if (transport === 'websocket') session = await SocketSession.open(server);
  else session = transport === 'stream' ? await openStream(server) : await openPolled(server);
  await session.up('[3,0]');
  return session;
}

export class SocketSession implements WireSession {
  readonly down = new Collector<Frame>();
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly ws: WebSocket;

  private constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on('message', (data) => {
      for (const frame of framesIn(`${String(data)}\n`.replace(/\n+/g, '\n'))) this.down.push(frame);
    });
    ws.on('error', () => {});
    this.closed = new Promise((resolve) => {
      ws.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
    onTestFinished(() => ws.terminate());
  }

  /** A socket on which nothing was said yet. */
  static async bare(server: TestServer, headers: Record<string, string> = {}): Promise<SocketSession> {
    const session = new SocketSession(new WebSocket(server.url.replace('http', 'ws'), { headers }));
    await once(session.ws, 'open');
    return session;
  }

  static async open(server: TestServer, attach: Partial<Attach> = {}): Promise<SocketSession> {
    const session = await SocketSession.bare(server);
    session.send(attachFrame({ mode: 'websocket', cid: newCid(), ...attach }));
    await session.down.count(1);
    return session;
  }

  get welcome(): Welcome {
    return welcomeIn(this.down.items);
  }

  send(...frames: readonly unknown[]): void {
    this.ws.send(linesOf(...frames));
  }

  async up(text: string): Promise<void> {
    if (this.ws.readyState === WebSocket.OPEN) this.ws.send(text);
  }

  end(): void {
    this.ws.terminate();
  }
}

/** Numbers its POSTs as a client does; nothing of what goes up is looked at. */
class Uplink {
  readonly #server: TestServer;
  readonly #welcome: Welcome;
  readonly #down: Collector<Frame>;
  #n = 0;
  #base = 0;

  constructor(server: TestServer, welcome: Welcome, down: Collector<Frame>) {
    this.#server = server;
    this.#welcome = welcome;
    this.#down = down;
  }

  async up(text: string): Promise<void> {
    const { key, node, gen } = this.#welcome;
    this.#n += 1;
    const header = linesOf([11, { key, node, gen, n: this.#n, base: this.#base }]);
    const { frames } = await post(this.#server, `${header}${text}\n`);
    for (const frame of frames) {
      if (frame[0] === 11) this.#base = (frame[1] as { rx: number }).rx;
      else this.#down.push(frame);
    }
  }
}

async function openStream(server: TestServer): Promise<WireSession> {
  const abort = new AbortController();
  const body = linesOf(attachFrame({ mode: 'stream', cid: newCid() }));
  const response = await fetch(server.url, { method: 'POST', body, signal: abort.signal });
  onTestFinished(() => abort.abort());
  const down = new Collector<Frame>();
  void read(response, down);
  const uplink = new Uplink(server, welcomeIn(await down.count(1)), down);
  return { down, up: (text) => uplink.up(text), end: () => abort.abort() };
}

async function read(response: Response, down: Collector<Frame>): Promise<void> {
  let rest = '';
  try {
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) down.push(JSON.parse(line) as Frame);
    }
  } catch {
    // Aborted, or cut by the server: either way nothing more comes.
  }
}

async function openPolled(server: TestServer): Promise<WireSession> {
  const session = await PolledSession.open(server);
  const down = new Collector<Frame>();
  const uplink = new Uplink(server, session.welcome, down);
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  void pollOn(session, down, abort.signal);
  return { down, up: (text) => uplink.up(text), end: () => abort.abort() };
}

async function pollOn(session: PolledSession, down: Collector<Frame>, signal: AbortSignal): Promise<void> {
  let rx = 0;
  try {
    for (let n = 1; !signal.aborted; n += 1) {
      const { frames } = await post(session.server, linesOf(session.pollFrame({ n, rx, hold: 10_000 })), { signal });
      for (const frame of frames) {
        if (frame[0] >= 16) rx += 1;
        down.push(frame);
      }
      if (frames[0]?.[0] !== 10) return;
    }
  } catch {
    // Aborted.
  }
}

/** A TCP connection on which HTTP is written by hand. */
export class RawConnection {
  readonly #socket: Socket;
  readonly #received = new Collector<string>();
  readonly ended: Promise<void>;

  constructor(server: TestServer) {
    this.#socket = dial(server.port, '127.0.0.1');
    this.#socket.on('data', (data) => this.#received.push(data.toString('latin1')));
    this.#socket.on('error', () => {});
    this.ended = once(this.#socket, 'close').then(() => {});
    onTestFinished(() => void this.#socket.destroy());
  }

  get text(): string {
    return this.#received.items.join('');
  }

  write(text: string | Uint8Array): void {
    this.#socket.write(text);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Resolves with all that has come when `text` is in it. */
  async until(text: string): Promise<string> {
    await this.#received.until((all) => all.join('').includes(text));
    return this.text;
  }
}

export interface RequestTextOptions {
  readonly version?: '1.0' | '1.1';
  readonly method?: string;
  /** Whole lines. */
  readonly headers?: string;
}

export const requestText = (
  body: string,
  { version = '1.1', method = 'POST', headers = '' }: RequestTextOptions = {},
): string =>
  `${method} /realtime HTTP/${version}\r\nHost: localhost\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
