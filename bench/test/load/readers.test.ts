import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { listen } from '../../src/contenders/contender.ts';
import type { Seat } from '../../src/load/client.ts';
import { clientFrame, FrameReader, OPCODE } from '../../src/load/frames.ts';
import { HttpWire } from '../../src/load/http-wire.ts';
import { LineSplitter } from '../../src/load/line-splitter.ts';

/** A server's frame: the same as a client's, without mask. */
function serverFrame(text: string): Buffer {
  const { length } = text;
  const header = length < 126 ? Buffer.from([0x81, length]) : Buffer.from([0x81, 126, length >> 8, length & 0xff]);
  return Buffer.concat([header, Buffer.from(text)]);
}

describe('FrameReader', () => {
  const texts = ['', 'short', 'x'.repeat(125), 'y'.repeat(126), 'z'.repeat(5_000)];
  const bytes = Buffer.concat(texts.map(serverFrame));

  it.each([1, 2, 3, 7, 1_000, 100_000])('finds the frames in chunks of %d bytes', (size) => {
    const found: string[] = [];
    const reader = new FrameReader((first, chunk, start, end) => {
      expect(first).toBe(0x81);
      found.push(chunk.toString('latin1', start, end));
    });
    for (let at = 0; at < bytes.length; at += size) reader.read(bytes.subarray(at, at + size));
    expect(found).toEqual(texts);
  });
});

it('clientFrame masks with zeros', () => {
  expect([...clientFrame(OPCODE.text, Buffer.from('hi'))]).toEqual([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]);
});

it.each([1, 3, 1_000])('LineSplitter finds the lines in chunks of %d bytes', (size) => {
  const found: string[] = [];
  const splitter = new LineSplitter((bytes, start, end) => found.push(bytes.toString('latin1', start, end)));
  const text = Buffer.from('one\n\ntwo\nthree');
  for (let at = 0; at < text.length; at += size) splitter.take(text, at, Math.min(at + size, text.length));
  expect(found).toEqual(['one', '', 'two']);
});

describe('HttpWire', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  /** Bodies of the answers, where whatever is asked is answered by the next of `answers`, cut into pieces of `size` bytes. */
  async function bodiesOf(answers: readonly string[], size: number): Promise<string[]> {
    const left = [...answers];
    const server = createServer((socket: Socket) => {
      socket.setNoDelay(true);
      socket.on('data', async () => {
        const answer = left.shift() ?? '';
        for (let at = 0; at < answer.length; at += size)
          await new Promise<void>((resolve) => socket.write(answer.slice(at, at + size), () => setImmediate(resolve)));
      });
    });
    servers.push(server);
    const port = await listen(server);
    return new Promise((resolve, reject) => {
      const bodies: string[] = [];
      let body = '';
      const seat = { port, received() {}, fail: (message: string) => reject(new Error(message)) } as unknown as Seat;
      const wire = new HttpWire({
        seat,
        onBody: (bytes, start, end) => {
          body += bytes.toString('latin1', start, end);
        },
        onEnd: () => {
          bodies.push(body);
          body = '';
          if (bodies.length < answers.length) return wire.get('/next');
          wire.close();
          resolve(bodies);
        },
      });
      wire.get('/first');
    });
  }

  const answers = [
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n',
    'HTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
  ];

  it.each([1, 4, 1_000])('reads answers of each kind in pieces of %d bytes', async (size) => {
    expect(await bodiesOf(answers, size)).toEqual(['hello', 'abc0123456789abcdef', '', 'ok']);
  });

  it('asks again where the server has closed an idle connection', async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      let requests = 0;
      socket.on('data', () => {
        requests += 1;
        // The second request on a connection meets its end.
        if (requests > 1) socket.end();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    servers.push(server);
    const port = await listen(server);
    const answers = await new Promise<number>((resolve, reject) => {
      let count = 0;
      const seat = { port, received() {}, fail: (message: string) => reject(new Error(message)) } as unknown as Seat;
      const onEnd = (): void => {
        count += 1;
        if (count < 3) return wire.get('/next');
        wire.close();
        resolve(count);
      };
      const wire = new HttpWire({ seat, onBody() {}, onEnd });
      wire.get('/first');
    });
    expect([answers, connections]).toEqual([3, 3]);
  });

  it('fails at any other status', async () => {
    await expect(bodiesOf(['HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n'], 1_000)).rejects.toThrow('500 Oh');
  });
});
