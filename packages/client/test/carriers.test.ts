import { describe, expect, test } from 'vitest';
import { exchange } from '../src/http-exchange.ts';
import type { WebSocketConstructor } from '../src/index.ts';
import { openSocket } from '../src/web-socket.ts';
import { turn } from './turn.ts';

/** What a carrier has reported, in order. */
function record() {
  const heard: unknown[] = [];
  const events = {
    open: () => heard.push('open'),
    lines: (lines: readonly string[]) => heard.push(lines),
    end: (end: object, reason?: string) => heard.push(reason === undefined ? end : { ...end, reason }),
  };
  return { heard, events };
}

function post(answer: Response | Promise<Response>) {
  const { heard, events } = record();
  const inits: RequestInit[] = [];
  const fetch = (_: string, init: RequestInit) => {
    inits.push(init);
    return Promise.resolve(answer);
  };
  const credentials = 'include' as const;
  const carrier = exchange({ fetch, url: 'http://a.test', body: '[3,0]\n', credentials, headers: {}, events });
  return { carrier, heard, inits };
}

function streamed() {
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  const stream = new ReadableStream<Uint8Array>({ start: (given) => (controller = given) });
  const push = async (bytes: Uint8Array) => {
    controller?.enqueue(bytes);
    await turn();
  };
  const end = async () => {
    controller?.close();
    await turn();
  };
  const cut = async () => {
    controller?.error(new Error('cut'));
    await turn();
  };
  return { response: new Response(stream), push, end, cut };
}

describe('an exchange', () => {
  test('hands over each line as it comes, and tells of bytes that complete none', async () => {
    const { response, push, end } = streamed();
    const { heard, inits } = post(response);
    const bytes = new TextEncoder().encode('[1,"é🌊"]\n[2]\n[3');
    await turn();
    for (const part of [bytes.subarray(0, 5), bytes.subarray(5, 8), bytes.subarray(8)]) await push(part);
    await end();
    expect(heard).toEqual([[], [], ['[1,"é🌊"]', '[2]'], { ok: true }]);
    expect(inits[0]).toMatchObject({ method: 'POST', body: '[3,0]\n', credentials: 'include' });
  });

  test('that was cut keeps what came whole', async () => {
    const { response, push, cut } = streamed();
    const { heard } = post(response);
    await turn();
    await push(new TextEncoder().encode('[1]\n[2'));
    await cut();
    expect(heard).toEqual([['[1]'], { ok: false }]);
  });

  test('hands over what stands in a refusal, and its status', async () => {
    const { heard } = post(new Response('[4,"forbidden_origin","no",0]\n', { status: 403 }));
    await turn();
    expect(heard).toEqual([['[4,"forbidden_origin","no",0]'], { ok: false, code: 403 }]);
  });

  test('that never reached anybody ends', async () => {
    const { heard } = post(Promise.reject(new TypeError('Failed to fetch')));
    await turn();
    expect(heard).toEqual([{ ok: false }]);
  });

  test('reads the whole text where bodies cannot be read in parts', async () => {
    const answer = { status: 200, body: null, text: () => Promise.resolve('[1]\n[2]\n') };
    const { heard } = post(answer as never);
    await turn();
    expect(heard).toEqual([['[1]', '[2]'], { ok: true }]);
  });

  test('gives up a line beyond all bounds', async () => {
    const { response, push } = streamed();
    const { heard, inits } = post(response);
    await turn();
    await push(new TextEncoder().encode('x'.repeat(70_000)));
    expect(heard).toEqual([{ ok: false }]);
    expect(inits[0]?.signal?.aborted).toBe(true);
  });

  test('is not heard of any more once it is dropped', async () => {
    const { response, push, end } = streamed();
    const { carrier, heard, inits } = post(response);
    await turn();
    await push(new TextEncoder().encode('[1]\n'));
    carrier.drop(1000, '');
    expect(inits[0]?.signal?.aborted).toBe(true);
    await push(new TextEncoder().encode('[2]\n'));
    await end();
    expect(heard).toEqual([['[1]']]);
  });
});

test('a request that is dropped before it is answered is not heard of', async () => {
  const { heard, events } = record();
  const fetch = (_: string, { signal }: RequestInit) =>
    new Promise<Response>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
  const carrier = exchange({ fetch, url: '', body: '', credentials: 'omit', headers: {}, events });
  carrier.drop(1000, '');
  await turn();
  expect(heard).toEqual([]);
});

class Socket {
  static last: Socket;
  readonly made: unknown[];
  onopen = () => {};
  onerror = (_: { message?: string }) => {};
  onmessage = (_: { data: unknown }) => {};
  onclose: ((event: { code: number }) => void) | null = null;
  sent: string[] = [];
  closed: unknown[] | null = null;
  constructor(...made: unknown[]) {
    this.made = made;
    Socket.last = this;
  }
  send(text: string): void {
    this.sent.push(text);
  }
  close(...why: unknown[]): void {
    this.closed = why;
  }
}

function open(WebSocket: unknown = Socket, headers: Record<string, string> = {}) {
  const { heard, events } = record();
  const carrier = openSocket({ WebSocket: WebSocket as WebSocketConstructor, url: 'ws://a.test/', headers, events });
  return { carrier, heard, socket: Socket.last };
}

describe('a WebSocket', () => {
  test('hands over the lines of text messages and ignores others', () => {
    const { carrier, heard, socket } = open();
    socket.onopen();
    carrier.send('[1]');
    socket.onmessage({ data: '[1]\n[2]' });
    socket.onmessage({ data: new Uint8Array(3) });
    socket.onmessage({ data: '\n' });
    socket.onclose?.({ code: 4412 });
    carrier.send('[late]');
    expect(heard).toEqual(['open', ['[1]', '[2]'], [], { ok: false, code: 4412 }]);
    expect(socket.sent).toEqual(['[1]']);
    expect(socket.made).toEqual(['ws://a.test/']);
  });

  test('is made with headers where there are some', () => {
    expect(open(Socket, { cookie: 'a=1' }).socket.made).toEqual(['ws://a.test/', { headers: { cookie: 'a=1' } }]);
  });

  test('that is dropped is closed with a reason that fits, and not heard of any more', () => {
    const { carrier, heard, socket } = open();
    carrier.drop(4409, '文'.repeat(100));
    socket.onerror({});
    expect(socket.onclose).toBeNull();
    expect(socket.closed).toEqual([4409, '文'.repeat(41)]);
    expect(heard).toEqual([]);
  });

  test('that reports nothing but an error before it is open has ended, and a close that follows says no more', () => {
    const { heard, socket } = open();
    socket.onerror({});
    socket.onclose?.({ code: 1006 });
    expect(heard).toEqual([{ ok: false }]);
  });

  test('that could not be opened has ended with what the runtime says of it', () => {
    const { heard, socket } = open();
    socket.onerror({ message: 'Unexpected server response: 403' });
    expect(heard).toEqual([{ ok: false, reason: 'Unexpected server response: 403' }]);
  });

  test('goes on after an error once it is open: its close says how it ended', () => {
    const { heard, socket } = open();
    socket.onopen();
    socket.onerror({});
    socket.onclose?.({ code: 4412 });
    expect(heard).toEqual(['open', { ok: false, code: 4412 }]);
  });

  test('gives up a line beyond all bounds', () => {
    const { heard, socket } = open();
    socket.onmessage({ data: 'x'.repeat(70_000) });
    expect(heard).toEqual([{ ok: false }]);
    expect(socket.closed?.[0]).toBe(4413);
  });

  test('that may not be made ends with the reason', () => {
    const Refused = class {
      constructor() {
        throw new Error('SecurityError');
      }
    };
    expect(open(Refused).heard).toEqual([{ ok: false, reason: 'Error: SecurityError' }]);
  });

  test('may come later, or not at all', async () => {
    const later = open(Promise.resolve(Socket));
    await turn();
    Socket.last.onopen();
    expect(later.heard).toEqual(['open']);
    const never = open(Promise.reject(new Error('there is none')));
    await turn();
    expect(never.heard).toEqual([{ ok: false, reason: 'there is none' }]);
  });

  test('that is dropped before it comes is never made', async () => {
    const { socket } = open();
    const { carrier, heard } = open(Promise.resolve(Socket));
    carrier.drop(1000, '');
    await turn();
    expect(Socket.last).toBe(socket);
    expect(heard).toEqual([]);
  });
});
