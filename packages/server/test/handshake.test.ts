import { expect, it } from 'vitest';
import { Handshake } from '../src/handshake.ts';

/** A connection that, like node's, does not know its peer any more once it is closed. */
class FakeSocket {
  isClosed = false;
  /** How often it was asked. */
  asked = 0;
  readonly encrypted = true;

  get remoteAddress(): string | undefined {
    this.asked += 1;
    return this.isClosed ? undefined : '192.0.2.1';
  }
}

const headers = {
  host: 'example.org',
  cookie: 'a=1; b=2',
  'set-cookie': ['c=3', 'd=4'],
  connection: 'Upgrade',
  upgrade: 'websocket',
};
const requestOn = (socket: FakeSocket) => ({ method: 'GET', url: '/realtime?x=1', headers, socket });

it('gives back the request that it was made of', () => {
  const handshake = Handshake.ofRequest(requestOn(new FakeSocket()));
  const socket = { remoteAddress: '192.0.2.1', encrypted: true };
  expect(handshake.unpack()).toEqual({ method: 'GET', url: '/realtime?x=1', headers, socket });
  expect(handshake.known).toBe(false);
});

it('keeps no header of a body that is not there any more', () => {
  const of = { ...headers, 'content-type': 'text/plain', 'content-length': '3', 'transfer-encoding': 'chunked' };
  const request = { ...requestOn(new FakeSocket()), method: 'POST', headers: of };
  expect(Handshake.ofRequest(request).unpack()).toMatchObject({ method: 'POST', headers });
  expect(Object.keys(Handshake.ofRequest(request).unpack().headers)).toEqual(Object.keys(headers));
});

it('keeps no header of a WebSocket that was for its handshake only', () => {
  const { connection, upgrade, ...kept } = headers;
  expect(Handshake.ofWebSocket(requestOn(new FakeSocket())).unpack().headers).toEqual(kept);
});

it('has the path that the client asked for, where a framework has mounted it', () => {
  const request = { ...requestOn(new FakeSocket()), url: '/', originalUrl: '/mounted/realtime' };
  expect(Handshake.ofRequest(request).unpack().url).toBe('/mounted/realtime');
});

it('makes no headers of a value with a line end', () => {
  const request = { ...requestOn(new FakeSocket()), headers: { cookie: 'a=1\nx-user\nroot' } };
  expect(Handshake.ofRequest(request).unpack().headers).toEqual({ cookie: 'a=1 x-user root' });
});

it.each([
  ['a stream', (socket: FakeSocket) => Handshake.ofStream(requestOn(socket), true)],
  ['a WebSocket', (socket: FakeSocket) => Handshake.ofWebSocket(requestOn(socket))],
])('asks the connection of %s for its address when somebody wants it', (_, handshakeOn) => {
  const socket = new FakeSocket();
  const { socket: peer } = handshakeOn(socket).unpack();
  expect(socket.asked).toBe(0);
  expect([peer.remoteAddress, peer.encrypted]).toEqual(['192.0.2.1', true]);
});

it.each([
  ['a stream', (request: ReturnType<typeof requestOn>) => Handshake.ofStream(request, true)],
  ['a WebSocket', (request: ReturnType<typeof requestOn>) => Handshake.ofWebSocket(request)],
])('holds nothing of the connection of %s once it is released', (_, handshakeOf) => {
  const socket = new FakeSocket();
  const request = requestOn(socket);
  const handshake = handshakeOf(request);
  const before = JSON.stringify(handshake.unpack());
  handshake.release();
  socket.isClosed = true;
  request.url = '/another';
  expect(JSON.stringify(handshake.unpack())).toBe(before);
});
