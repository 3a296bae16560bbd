/**
 * Runnel's protocol, version 1, as far as the work of a client that loses no link needs it, over any carrier: attach, count, acknowledge,
 * answer pings, call. It looks at types and at the few strings of the welcome; payloads it only passes on.
 */
import { DEFAULT_LIMITS, Type } from '@runnel/protocol';
import type { CallKind } from '../messages.ts';
import type { Seat } from './client.ts';

const COMMA = 0x2c;
const CLOSING_BRACKET = 0x5d;
const ZERO = 0x30;
/** PROTOCOL §4.3: acknowledged when a quarter of the peer's outbox has been taken; the client's own rule for the number of frames. */
const ACK_BYTES = DEFAULT_LIMITS.outboxBytes / 4;
const ACK_FRAMES = DEFAULT_LIMITS.outboxFrames / 4;
/** Likewise: as much is told of beside what goes up anyway. */
const ACK_ALONG_BYTES = 1_024;
/** Cids of one process differ, also when its clients come back. */
let cids = 0;

export interface Identity {
  readonly key: string;
  readonly node: string;
}

/** What the carrier does. */
export interface Uplink {
  send(line: string): void;
  /** Whether acknowledgements travel with what the carrier says anyway. */
  readonly acknowledges: boolean;
  /** A welcome has come. */
  onWelcome?(): void;
  /** `end` has come: an answer is complete. */
  onEnd?(): void;
}

export class RunnelSession {
  /** Counted frames taken. */
  rx = 0;
  /** Counted frames sent. */
  tx = 0;
  /** Of the last welcome. */
  identity: Identity = { key: '', node: '' };
  readonly #seat: Seat;
  readonly #uplink: Uplink;
  readonly #cid = `client-${process.pid}-${++cids}`;
  /** Taken since that was told. */
  #untoldBytes = 0;
  #untoldFrames = 0;
  /** Subscriptions asked for, and those of them whose answer has not come. */
  #asked = 0;
  #open = 0;

  constructor(seat: Seat, uplink: Uplink) {
    this.#seat = seat;
    this.#uplink = uplink;
  }

  /** The line of the first attach, or of one more. */
  attach(mode: 'websocket' | 'stream' | 'poll', gen: number): string {
    const { channels, index } = this.#seat;
    const { key, node } = this.identity;
    if (gen === 1) this.#asked = this.#open = channels.length || 1;
    // Without channels of its own a client is in the lobby.
    const subs = (channels.length === 0 ? [0] : channels).map((channel, i) => [i + 1, `room/${channel}`, {}]);
    return JSON.stringify([
      Type.attach,
      {
        ...{ v: 1, cid: this.#cid, gen, rx: this.rx, mode, auth: `user-${index}`, subs },
        ...(mode === 'poll' ? { hold: 0 } : {}),
        ...(key === '' ? {} : { key, node }),
      },
    ]);
  }

  subscribe(channels: readonly number[]): void {
    const lines = channels.map((channel) => {
      this.#asked += 1;
      return `[${Type.subscribe},${this.#asked},"room/${channel}",{}]`;
    });
    this.#open += lines.length;
    this.tx += lines.length;
    this.#uplink.send(lines.join('\n'));
  }

  call(kind: CallKind, id: number, payload: string): void {
    const room = `"room/${this.#seat.channels[0] ?? 0}"`;
    this.tx += 1;
    // Ids rise over subscriptions and calls alike.
    const callId = this.#asked + id;
    const line =
      kind === 'request'
        ? `[${Type.request},${callId},${room},"echo",${payload}]`
        : `[${Type.publish},${callId},${room},"message",${payload},"key-${id}"]`;
    const tells = this.#untoldBytes >= ACK_ALONG_BYTES && !this.#uplink.acknowledges;
    this.#uplink.send(tells ? `${line}\n${this.#ack()}` : line);
  }

  /** The line that ends the session on purpose. */
  goodbye(): string {
    return `[${Type.goaway},"closed","",0]`;
  }

  /** One line, without its end. */
  take(bytes: Buffer, from: number, to: number): void {
    if (to === from) return;
    let type = 0;
    let at = from + 1;
    for (let digit = bytes[at]; digit !== COMMA && digit !== CLOSING_BRACKET && at < to; digit = bytes[at]) {
      type = type * 10 + (digit as number) - ZERO;
      at += 1;
    }
    if (type >= 16) this.#count(to - from + 1);
    switch (type) {
      case Type.message:
        // `[16,1,123,0,{…}]`, and after it `,{"by":"…"}` where a client's publish has caused it.
        return this.#seat.message(bytes, payloadEnd(bytes, to));
      case Type.result:
        return this.#seat.answer(bytes, to - 1);
      case Type.ping:
        return this.#pong(bytes, at + 1);
      case Type.subscribed:
        return this.#subscribed();
      case Type.welcome:
        this.identity = { key: textIn(bytes, from, to, 'key'), node: textIn(bytes, from, to, 'node') };
        return this.#uplink.onWelcome?.();
      case Type.end:
        return this.#uplink.onEnd?.();
      case Type.ack:
      case Type.poll:
      case Type.post:
      case Type.pong:
        return;
      default:
        this.#seat.fail(`got ${bytes.toString('utf8', from, to).slice(0, 300)}`);
    }
  }

  #subscribed(): void {
    this.#open -= 1;
    if (this.#open > 0) return;
    if (!this.#uplink.acknowledges) this.#acknowledge();
    this.#seat.ready();
  }

  #count(size: number): void {
    this.rx += 1;
    this.#untoldBytes += size;
    this.#untoldFrames += 1;
    if (this.#uplink.acknowledges || (this.#untoldBytes < ACK_BYTES && this.#untoldFrames < ACK_FRAMES)) return;
    this.#acknowledge();
  }

  #acknowledge(): void {
    this.#uplink.send(this.#ack());
  }

  #ack(): string {
    this.#untoldBytes = 0;
    this.#untoldFrames = 0;
    return `[${Type.ack},${this.rx}]`;
  }

  /** `[1,t,rx]` is answered by `[2,t,rx]`, with our `rx`. */
  #pong(bytes: Buffer, from: number): void {
    let to = from;
    while (bytes[to] !== COMMA && bytes[to] !== CLOSING_BRACKET) to += 1;
    this.#untoldBytes = 0;
    this.#untoldFrames = 0;
    this.#uplink.send(`[${Type.pong},${bytes.toString('latin1', from, to)},${this.rx}]`);
  }
}

const QUOTE = 0x22;
const META = ',{"by":"';

/** Where the payload of a message ends whose line ends at `to`. */
function payloadEnd(bytes: Buffer, to: number): number {
  const end = to - 1;
  // `…"}]` closes a payload as well as a meta: only the latter's opening tells.
  const quote = bytes.lastIndexOf(QUOTE, end - 3);
  const start = quote + 1 - META.length;
  return bytes.toString('latin1', Math.max(start, 0), quote + 1) === META ? start : end;
}

function textIn(bytes: Buffer, from: number, to: number, name: string): string {
  const opening = `"${name}":"`;
  const line = bytes.toString('utf8', from, to);
  const at = line.indexOf(opening) + opening.length;
  return at < opening.length ? '' : line.slice(at, line.indexOf('"', at));
}
