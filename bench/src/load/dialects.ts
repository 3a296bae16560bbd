import type { ContenderName } from '../contenders/roster.ts';
import type { Dialect } from './dialect.ts';
import { runnelDialect } from './runnel-dialect.ts';

/** Each frame is a message. */
const wsDialect: Dialect = {
  path: '/',
  open: (subscriber) => subscriber.ready(),
  take: (subscriber, bytes, _start, end) => subscriber.take(bytes, end),
};

/** The first frame says that the server knows the socket; from then on each is a message. */
const netDialect: Dialect = {
  path: null,
  open() {},
  take(subscriber, bytes, _start, end) {
    if (subscriber.rx > 0) return subscriber.take(bytes, end);
    subscriber.rx = 1;
    subscriber.ready();
  },
};

const [OPEN, PING, MESSAGE] = [...'024'].map((type) => type.charCodeAt(0));
const [CONNECT, EVENT] = [...'02'].map((type) => type.charCodeAt(0));

/** Engine.IO 4 packets, and in those of type 4 the packets of Socket.IO 5. */
const socketIoDialect: Dialect = {
  path: '/socket.io/?EIO=4&transport=websocket',
  open() {},
  take(subscriber, bytes, start, end) {
    const type = bytes[start];
    const inner = bytes[start + 1];
    // `42["message",{…}]`
    if (type === MESSAGE && inner === EVENT) subscriber.take(bytes, end - 1);
    else if (type === MESSAGE && inner === CONNECT) subscriber.ready();
    else if (type === PING) subscriber.send('3');
    else if (type === OPEN) subscriber.send('40');
    else subscriber.fail(bytes, start, end);
  },
};

export const dialects: { readonly [name in ContenderName]: Dialect } = {
  runnel: runnelDialect,
  ws: wsDialect,
  'socket.io': socketIoDialect,
  net: netDialect,
};
