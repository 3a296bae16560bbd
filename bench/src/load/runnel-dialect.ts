/** Runnel's protocol, version 1, as far as one subscription over one WebSocket needs it: attach, acknowledge, answer pings. */
import { DEFAULT_LIMITS, Type } from '@runnel/protocol';
import type { Dialect } from './dialect.ts';
import type { Subscriber } from './subscriber.ts';

const LINE_END = 0x0a;
const COMMA = 0x2c;
const CLOSING_BRACKET = 0x5d;
const ZERO = 0x30;
/** PROTOCOL §4.3: acknowledged when a quarter of the peer's outbox has been taken; the client's own rule for the number of frames. */
const ACK_BYTES = DEFAULT_LIMITS.outboxBytes / 4;
const ACK_FRAMES = DEFAULT_LIMITS.outboxFrames / 4;

export const runnelDialect: Dialect = {
  path: '/realtime',
  open(subscriber) {
    const attach = {
      v: 1,
      cid: `subscriber-${subscriber.index}`,
      gen: 1,
      rx: 0,
      mode: 'websocket',
      auth: `user-${subscriber.index}`,
      subs: [[1, 'room/lobby', {}]],
    };
    subscriber.send(JSON.stringify([Type.attach, attach]));
  },
  take(subscriber, bytes, start, end) {
    // PROTOCOL §2: a message holds one or more lines.
    for (let from = start; from < end; ) {
      let to = from;
      while (to < end && bytes[to] !== LINE_END) to += 1;
      if (to > from) takeLine(subscriber, bytes, from, to);
      from = to + 1;
    }
  },
};

function takeLine(subscriber: Subscriber, bytes: Buffer, from: number, to: number): void {
  let type = 0;
  let at = from + 1;
  for (let digit = bytes[at]; digit !== COMMA && digit !== CLOSING_BRACKET && at < to; digit = bytes[at]) {
    type = type * 10 + (digit as number) - ZERO;
    at += 1;
  }
  if (type >= 16) count(subscriber, to - from + 1);
  // `[16,1,123,0,{…}]`: a broadcast of the server's own has no `meta`.
  if (type === Type.message) subscriber.take(bytes, to - 1);
  else if (type === Type.ping) subscriber.send(pong(subscriber, bytes, at + 1));
  else if (type === Type.subscribed) {
    subscriber.send(`[${Type.ack},${subscriber.rx}]`);
    subscriber.ready();
  } else if (type !== Type.welcome) subscriber.fail(bytes, from, to);
}

function count(subscriber: Subscriber, size: number): void {
  subscriber.rx += 1;
  subscriber.untoldBytes += size;
  if (subscriber.untoldBytes < ACK_BYTES && subscriber.rx % ACK_FRAMES !== 0) return;
  subscriber.untoldBytes = 0;
  subscriber.send(`[${Type.ack},${subscriber.rx}]`);
}

/** `[1,t,rx]` is answered by `[2,t,rx]`, with our `rx`. */
function pong(subscriber: Subscriber, bytes: Buffer, from: number): string {
  let to = from;
  while (bytes[to] !== COMMA && bytes[to] !== CLOSING_BRACKET) to += 1;
  subscriber.untoldBytes = 0;
  return `[${Type.pong},${bytes.toString('latin1', from, to)},${subscriber.rx}]`;
}
