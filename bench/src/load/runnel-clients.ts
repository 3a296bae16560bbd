/** Runnel's clients over each carrier. */
import { Type } from '@runnel/protocol';
import type { CallKind } from '../messages.ts';
import type { Client, Seat } from './client.ts';
import { FramedWire } from './framed-wire.ts';
import { HttpWire } from './http-wire.ts';
import { LineSplitter } from './line-splitter.ts';
import { RunnelSession } from './runnel-session.ts';

const PATH = '/realtime';
const LINE_END = 0x0a;
const HOLD_MS = 25_000;

/** PROTOCOL §2: a WebSocket message holds one or more lines. */
function takeLines(session: RunnelSession, bytes: Buffer, start: number, end: number): void {
  for (let from = start; from < end; ) {
    const lineEnd = bytes.indexOf(LINE_END, from);
    const to = lineEnd === -1 || lineEnd > end ? end : lineEnd;
    session.take(bytes, from, to);
    from = to + 1;
  }
}

export class RunnelWebSocketClient implements Client {
  readonly #session: RunnelSession;
  readonly #wire: FramedWire;

  constructor(seat: Seat) {
    this.#session = new RunnelSession(seat, { send: (lines) => this.#wire.send(lines), acknowledges: false });
    this.#wire = new FramedWire({
      seat,
      path: PATH,
      onOpen: () => this.#wire.send(this.#session.attach('websocket', 1)),
      onText: (bytes, start, end) => takeLines(this.#session, bytes, start, end),
    });
  }

  call(kind: CallKind, id: number, payload: string): void {
    this.#session.call(kind, id, payload);
  }

  subscribe(channels: readonly number[]): void {
    this.#session.subscribe(channels);
  }

  close(): void {
    this.#wire.send(this.#session.goodbye());
    this.#wire.close();
  }
}

/** A message that the server checks and passes on to a room in which nobody is. */
const toNobody = (payload: string): string => `[${Type.volatile},"room/nobody","note",${payload}]`;

/** What goes up beside a stream or poll, one POST at a time (PROTOCOL §6.2). */
class Posts {
  readonly #seat: Seat;
  readonly #session: RunnelSession;
  /** Opened with the first POST. */
  #wire: HttpWire | null = null;
  #n = 0;
  /** Counted frames that the server has. */
  #base = 0;
  #waiting: string[] = [];
  #busy = false;
  /** Whether somebody waits for the answer to the POST itself. */
  #isCall = false;

  constructor(seat: Seat, session: RunnelSession) {
    this.#seat = seat;
    this.#session = session;
  }

  /** `isCall`: the answer to the POST is what the caller waits for, one at a time. */
  send(lines: string, isCall = false): void {
    this.#isCall ||= isCall;
    this.#waiting.push(lines);
    if (!this.#busy) this.#post();
  }

  close(): void {
    this.#wire?.close();
  }

  #post(): void {
    const { key, node } = this.#session.identity;
    this.#busy = true;
    this.#n += 1;
    this.#wire ??= new HttpWire({
      seat: { ...this.#seat, port: this.#seat.postPort },
      onBody: (...body) => this.#check(...body),
      onEnd: () => this.#handleEnd(),
    });
    const header = `[${Type.post},{"key":"${key}","node":"${node}","gen":1,"n":${this.#n},"base":${this.#base}}]`;
    this.#base = this.#session.tx;
    this.#wire.post(PATH, `${header}\n${this.#waiting.splice(0).join('\n')}\n`);
  }

  #check(bytes: Buffer, start: number, end: number): void {
    if (bytes.toString('latin1', start, start + 4) !== `[${Type.post},`)
      this.#seat.fail(`a POST got ${bytes.toString('utf8', start, end)}`);
  }

  #handleEnd(): void {
    this.#busy = false;
    if (this.#waiting.length > 0) return this.#post();
    if (!this.#isCall) return;
    this.#isCall = false;
    this.#seat.answer(Buffer.alloc(0), 0);
  }
}

export class RunnelStreamClient implements Client {
  readonly #session: RunnelSession;
  readonly #wire: HttpWire;
  readonly #posts: Posts;

  constructor(seat: Seat) {
    this.#session = new RunnelSession(seat, { send: (lines) => this.#posts.send(lines), acknowledges: false });
    this.#posts = new Posts(seat, this.#session);
    const lines = new LineSplitter((bytes, start, end) => this.#session.take(bytes, start, end));
    const onBody = (bytes: Buffer, start: number, end: number): void => lines.take(bytes, start, end);
    this.#wire = new HttpWire({ seat, onBody, onEnd: () => seat.fail('its stream has ended') });
    this.#wire.post(PATH, `${this.#session.attach('stream', 1)}\n`);
  }

  call(kind: CallKind, id: number, payload: string): void {
    if (kind === 'post') this.#posts.send(toNobody(payload), true);
    else this.#session.call(kind, id, payload);
  }

  close(): void {
    this.#wire.close();
    this.#posts.close();
  }
}

/** Polls that are held, one after another; `rx` in each acknowledges. */
class Polls {
  readonly #session: RunnelSession;
  readonly #wire: HttpWire;
  #n = 0;

  constructor(seat: Seat, session: RunnelSession) {
    this.#session = session;
    const lines = new LineSplitter((bytes, start, end) => session.take(bytes, start, end));
    const onBody = (bytes: Buffer, start: number, end: number): void => lines.take(bytes, start, end);
    this.#wire = new HttpWire({ seat, onBody, onEnd() {} });
    this.#wire.post(PATH, `${session.attach('poll', 1)}\n`);
  }

  next(): void {
    const { identity, rx } = this.#session;
    this.#n += 1;
    const header = { key: identity.key, node: identity.node, gen: 1, n: this.#n, rx, hold: HOLD_MS };
    this.#wire.post(PATH, `${JSON.stringify([Type.poll, header])}\n`);
  }

  close(): void {
    this.#wire.close();
  }
}

export class RunnelPollClient implements Client {
  readonly #session: RunnelSession;
  readonly #polls: Polls;
  readonly #posts: Posts;

  constructor(seat: Seat) {
    this.#session = new RunnelSession(seat, {
      send: (lines) => this.#posts.send(lines),
      acknowledges: true,
      onEnd: () => this.#polls.next(),
    });
    this.#posts = new Posts(seat, this.#session);
    this.#polls = new Polls(seat, this.#session);
  }

  call(kind: CallKind, id: number, payload: string): void {
    if (kind === 'post') this.#posts.send(toNobody(payload), true);
    else this.#session.call(kind, id, payload);
  }

  close(): void {
    this.#polls.close();
    this.#posts.close();
  }
}

/** PROTOCOL §10.1: a poll and a WebSocket begin together; when both have answered, the session moves to the latter. */
export class RunnelRaceClient implements Client {
  readonly #seat: Seat;
  readonly #session: RunnelSession;
  readonly #polls: Polls;
  readonly #wire: FramedWire;
  #welcomed = false;
  #probed = false;
  /** The attach on the WebSocket has been sent. */
  #moved = false;

  constructor(seat: Seat) {
    this.#seat = seat;
    this.#session = new RunnelSession(
      // Ready is who has moved, not who is subscribed.
      { ...seat, ready() {} },
      {
        send: (lines) => this.#wire.send(lines),
        acknowledges: true,
        onWelcome: () => this.#handleWelcome(),
        onEnd: () => this.#handleAnswer(),
      },
    );
    this.#polls = new Polls(seat, this.#session);
    this.#wire = new FramedWire({
      seat,
      path: PATH,
      onOpen: () => this.#wire.send(`[${Type.probe},"probe-${seat.index}"]`),
      onText: (bytes, start, end) => this.#takeText(bytes, start, end),
    });
  }

  close(): void {
    this.#wire.send(this.#session.goodbye());
    this.#wire.close();
    this.#polls.close();
  }

  #takeText(bytes: Buffer, start: number, end: number): void {
    if (this.#moved) return takeLines(this.#session, bytes, start, end);
    this.#probed = true;
    if (this.#welcomed) this.#move();
  }

  #handleWelcome(): void {
    this.#welcomed = true;
    if (!this.#moved) return;
    this.#wire.send(`[${Type.ack},${this.#session.rx}]`);
    this.#seat.ready();
  }

  /** The poll that attached is answered, or the held one ended because the session has moved. */
  #handleAnswer(): void {
    if (this.#moved) return;
    if (this.#probed) this.#move();
    else this.#polls.next();
  }

  #move(): void {
    if (this.#moved) return;
    this.#moved = true;
    this.#wire.send(this.#session.attach('websocket', 2));
  }
}
