/** Clients of those servers whose messages stand in frames, events or answers as they are. */
import type { CallKind } from '../messages.ts';
import type { Client, Seat } from './client.ts';
import { FramedWire } from './framed-wire.ts';
import { HttpWire } from './http-wire.ts';
import { LineSplitter } from './line-splitter.ts';

const CLOSING_BRACE = 0x7d;
const startsWith = (bytes: Buffer, start: number, text: string): boolean =>
  bytes.toString('latin1', start, start + text.length) === text;

/** `ws`: each frame is a message, but for those that answer. */
export class WsClient implements Client {
  readonly #seat: Seat;
  readonly #wire: FramedWire;

  constructor(seat: Seat) {
    this.#seat = seat;
    this.#wire = new FramedWire({
      seat,
      path: '/',
      onOpen: () => this.#open(),
      onText: (bytes, start, end) => this.#take(bytes, start, end),
    });
  }

  call(kind: CallKind, id: number, payload: string): void {
    const [room] = this.#seat.channels;
    this.#wire.send(
      kind === 'publish'
        ? `{"type":"publish","id":${id},"room":${room},"data":${payload}}`
        : `{"type":"echo","id":${id},"data":${payload}}`,
    );
  }

  subscribe(channels: readonly number[]): void {
    this.#wire.send(`{"type":"join","rooms":[${channels.join(',')}]}`);
  }

  close(): void {
    this.#wire.close();
  }

  #open(): void {
    if (this.#seat.channels.length === 0) this.#seat.ready();
    else this.subscribe(this.#seat.channels);
  }

  #take(bytes: Buffer, start: number, end: number): void {
    if (!startsWith(bytes, start, '{"type":"')) this.#seat.message(bytes, end);
    else if (startsWith(bytes, start, '{"type":"joined"')) this.#seat.ready();
    // `{"type":"echo","id":1,"data":{…}}`
    else this.#seat.answer(bytes, end - 1);
  }
}

/** Messages only, from the handshake on. */
export class NchanClient implements Client {
  readonly #wire: FramedWire;

  constructor(seat: Seat) {
    const onText = (bytes: Buffer, _start: number, end: number): void => seat.message(bytes, end);
    this.#wire = new FramedWire({ seat, path: '/sub', onOpen: () => seat.ready(), onText });
  }

  close(): void {
    this.#wire.close();
  }
}

/** Says where it wants to be, unless that is the lobby. The first frame says that the server knows the socket; from then on each is a message. */
export class NetClient implements Client {
  readonly #wire: FramedWire;
  #greeted = false;

  constructor(seat: Seat) {
    const onText = (bytes: Buffer, _start: number, end: number): void => {
      if (this.#greeted) return seat.message(bytes, end);
      this.#greeted = true;
      seat.ready();
    };
    const { channels } = seat;
    const onOpen = (): void => {
      if (channels.length > 0) this.#wire.send(JSON.stringify(channels));
    };
    this.#wire = new FramedWire({ seat, path: null, onOpen, onText });
  }

  close(): void {
    this.#wire.close();
  }
}

/** `retry: 2000`, then `data: {…}` for each message. */
export class SseClient implements Client {
  readonly #wire: HttpWire;

  constructor(seat: Seat) {
    const lines = new LineSplitter((bytes, start, end) => {
      if (startsWith(bytes, start, 'data: ')) seat.message(bytes, end);
      else if (startsWith(bytes, start, 'retry: ')) seat.ready();
    });
    const onBody = (bytes: Buffer, start: number, end: number): void => lines.take(bytes, start, end);
    this.#wire = new HttpWire({ seat, onBody, onEnd: () => seat.fail('its stream has ended') });
    this.#wire.get('/events');
  }

  close(): void {
    this.#wire.close();
  }
}

/** `{"head":3,"messages":[{…},{…}]}`, and the next GET. */
export class LongPollClient implements Client {
  readonly #seat: Seat;
  readonly #wire: HttpWire;
  #posts: HttpWire | null = null;
  /** What has come of the answer. */
  #body: Buffer[] = [];
  #isReady = false;

  constructor(seat: Seat) {
    this.#seat = seat;
    const onBody = (bytes: Buffer, start: number, end: number): void =>
      void this.#body.push(bytes.subarray(start, end));
    this.#wire = new HttpWire({ seat, onBody, onEnd: () => this.#takeAnswer() });
    this.#wire.get('/poll');
  }

  call(_kind: CallKind, _id: number, payload: string): void {
    const none = Buffer.alloc(0);
    this.#posts ??= new HttpWire({ seat: this.#seat, onBody() {}, onEnd: () => this.#seat.answer(none, 0) });
    this.#posts.post('/', payload);
  }

  close(): void {
    this.#wire.close();
    this.#posts?.close();
  }

  #takeAnswer(): void {
    const body = this.#body.length === 1 ? (this.#body[0] as Buffer) : Buffer.concat(this.#body);
    this.#body = [];
    const head = Number.parseInt(body.toString('latin1', '{"head":'.length, 24), 10);
    this.#wire.get(`/poll?since=${head}`);
    if (!this.#isReady) this.#seat.ready();
    this.#isReady = true;
    const last = body.length - 1;
    for (let at = body.indexOf(CLOSING_BRACE); at !== -1 && at < last; at = body.indexOf(CLOSING_BRACE, at + 1))
      this.#seat.message(body, at + 1);
  }
}
