/** Clients of socket.io, over either of its transports, and of SockJS. */
import type { CallKind } from '../messages.ts';
import type { Client, Seat } from './client.ts';
import { FramedWire } from './framed-wire.ts';
import { HttpWire } from './http-wire.ts';

const [OPEN, PING, MESSAGE, NOOP] = [...'0246'].map((type) => type.charCodeAt(0));
const [CONNECT, EVENT, ACK] = [...'023'].map((type) => type.charCodeAt(0));
const JOIN_ID = 0;

/** Engine.IO 4 packets, and in those of type 4 the packets of Socket.IO 5. */
class Packets {
  readonly #seat: Seat;
  readonly #send: (packet: string) => void;

  constructor(seat: Seat, send: (packet: string) => void) {
    this.#seat = seat;
    this.#send = send;
  }

  call(kind: CallKind, id: number, payload: string): void {
    const [room] = this.#seat.channels;
    this.#send(kind === 'publish' ? `42${id}["publish",${room},${payload}]` : `42${id}["echo",${payload}]`);
  }

  subscribe(channels: readonly number[]): void {
    this.#send(`42${JOIN_ID}["join",[${channels.join(',')}]]`);
  }

  take(bytes: Buffer, start: number, end: number): void {
    const type = bytes[start];
    const inner = bytes[start + 1];
    // `42["message",{…}]`, `431[{…}]`
    if (type === MESSAGE && inner === EVENT) this.#seat.message(bytes, end - 1);
    else if (type === MESSAGE && inner === ACK) {
      if (bytes.toString('latin1', start + 2, start + 4) === `${JOIN_ID}[`) this.#seat.ready();
      else this.#seat.answer(bytes, end - 1);
    } else if (type === MESSAGE && inner === CONNECT) {
      if (this.#seat.channels.length > 0) this.subscribe(this.#seat.channels);
      else this.#seat.ready();
    } else if (type === PING) this.#send('3');
    else if (type === OPEN) this.#send('40');
    else if (type !== NOOP) this.#seat.fail(`got ${bytes.toString('utf8', start, end).slice(0, 200)}`);
  }
}

export class SocketIoClient implements Client {
  readonly #wire: FramedWire;
  readonly #packets: Packets;

  constructor(seat: Seat) {
    this.#packets = new Packets(seat, (packet) => this.#wire.send(packet));
    this.#wire = new FramedWire({
      seat,
      path: '/socket.io/?EIO=4&transport=websocket',
      onOpen() {},
      onText: (bytes, start, end) => this.#packets.take(bytes, start, end),
    });
  }

  call(kind: CallKind, id: number, payload: string): void {
    this.#packets.call(kind, id, payload);
  }

  subscribe(channels: readonly number[]): void {
    this.#packets.subscribe(channels);
  }

  close(): void {
    this.#wire.close();
  }
}

const PATH = '/socket.io/?EIO=4&transport=polling';
const SEPARATOR = 0x1e;

/** Polls one after another; a POST goes between two polls. */
export class SocketIoPollingClient implements Client {
  readonly #seat: Seat;
  readonly #polls: HttpWire;
  readonly #packets: Packets;
  #body: Buffer[] = [];
  /** What the open packet has said; empty before. */
  #sid = '';
  readonly #waiting: string[] = [];
  /** Whether the answer under way is a POST's. */
  #posting = false;
  readonly #onOpen: (sid: string) => void;
  /** Called when nothing is under way, which then stays so; null: it polls on. */
  #onPaused: (() => void) | null = null;

  /** @param onOpen is told the id of the connection */
  constructor(seat: Seat, onOpen: (sid: string) => void = () => {}) {
    this.#seat = seat;
    this.#onOpen = onOpen;
    this.#packets = new Packets(seat, (packet) => void this.#waiting.push(packet));
    const onBody = (bytes: Buffer, start: number, end: number): void =>
      void this.#body.push(bytes.subarray(start, end));
    this.#polls = new HttpWire({ seat, onBody, onEnd: () => this.#handleEnd() });
    this.#polls.get(PATH);
  }

  pause(onPaused: () => void): void {
    this.#onPaused = onPaused;
  }

  close(): void {
    this.#polls.close();
  }

  #handleEnd(): void {
    const body = this.#body.length === 1 ? (this.#body[0] as Buffer) : Buffer.concat(this.#body);
    this.#body = [];
    if (this.#posting) this.#posting = false;
    else this.#take(body);
    this.#next();
  }

  #take(body: Buffer): void {
    if (this.#sid === '') {
      this.#sid = /"sid":"([^"]+)"/.exec(body.toString('latin1'))?.[1] ?? '';
      if (this.#sid === '') this.#seat.fail(`got ${body}`);
      this.#onOpen(this.#sid);
    }
    for (let from = 0; from < body.length; ) {
      const separator = body.indexOf(SEPARATOR, from);
      const to = separator === -1 ? body.length : separator;
      this.#packets.take(body, from, to);
      from = to + 1;
    }
  }

  #next(): void {
    const path = `${PATH}&sid=${this.#sid}`;
    if (this.#waiting.length === 0) return this.#onPaused === null ? this.#polls.get(path) : this.#onPaused();
    this.#posting = true;
    this.#polls.post(path, this.#waiting.splice(0).join(String.fromCharCode(SEPARATOR)));
  }
}

/** As its clients do by default: it begins with polls and goes on over a WebSocket. */
export class SocketIoUpgradeClient implements Client {
  readonly #seat: Seat;
  readonly #polling: SocketIoPollingClient;
  readonly #packets: Packets;
  #wire: FramedWire | null = null;
  #isConnected = false;
  #hasMoved = false;

  constructor(seat: Seat) {
    this.#seat = seat;
    this.#packets = new Packets(seat, (packet) => this.#wire?.send(packet));
    const ready = (): void => {
      this.#isConnected = true;
      this.#checkReady();
    };
    this.#polling = new SocketIoPollingClient({ ...seat, ready }, (sid) => this.#open(sid));
  }

  close(): void {
    this.#wire?.close();
    this.#polling.close();
  }

  #open(sid: string): void {
    this.#wire = new FramedWire({
      seat: this.#seat,
      path: `/socket.io/?EIO=4&transport=websocket&sid=${sid}`,
      onOpen: () => this.#wire?.send('2probe'),
      onText: (bytes, start, end) => this.#take(bytes, start, end),
    });
  }

  #take(bytes: Buffer, start: number, end: number): void {
    if (this.#hasMoved) return this.#packets.take(bytes, start, end);
    // `3probe`: the held poll is answered as well.
    this.#polling.pause(() => {
      this.#hasMoved = true;
      this.#wire?.send('5');
      this.#checkReady();
    });
  }

  #checkReady(): void {
    if (this.#isConnected && this.#hasMoved) this.#seat.ready();
  }
}

/** `o`, then `a["…"]` for each message, which is text in JSON once more; `h` now and then. */
export class SockJsClient implements Client {
  readonly #wire: FramedWire;

  constructor(seat: Seat) {
    const onText = (bytes: Buffer, start: number, end: number): void => {
      const type = String.fromCharCode(bytes[start] as number);
      if (type === 'o') seat.ready();
      else if (type === 'a' && !seat.sampled) seat.message(bytes, end);
      else if (type === 'a') {
        const text = Buffer.from(bytes.toString('utf8', start + 3, end - 2).replaceAll('\\"', '"'));
        seat.message(text, text.length);
      } else if (type !== 'h') seat.fail(`got ${bytes.toString('utf8', start, end).slice(0, 200)}`);
    };
    const path = `/sockjs/000/client${seat.index}/websocket`;
    this.#wire = new FramedWire({ seat, path, onOpen() {}, onText });
  }

  close(): void {
    this.#wire.close();
  }
}
