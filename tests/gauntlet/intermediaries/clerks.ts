/** What proxies have been seen to do with requests and answers. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type Clerk, ofMessage, relay } from './http-box.ts';

const KNOWN = ['accept', 'cache-control', 'content-length', 'content-type', 'host', 'origin'];

/** Passes on only the headers that it knows: no cookie, nothing of anybody's own. */
export const filter: Clerk = async ({ headers, forward }, response) => {
  const answer = await forward(known(headers));
  relay(answer, response, known(answer.headers));
};

function known(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => KNOWN.includes(name)));
}

/** Every so many POSTs, what the server says is thrown away when its head has come, and the request is made once more. */
export function repeater(every: number): Clerk {
  return async ({ n, isPost, forward }, response) => {
    if (isPost && n % every === every - 1) (await forward()).destroy();
    relay(await forward(), response);
  };
}

/** Every so many POSTs, a second copy goes up beside the first and arrives whenever it does; nobody is told what came of it. */
export function doubler(every: number): Clerk {
  return async ({ n, isPost, forward }, response) => {
    if (isPost && n % every === every - 1) {
      forward().then(
        (answer) => answer.destroy(),
        () => {},
      );
    }
    relay(await forward(), response);
  };
}

/** Every so many POSTs are answered with what an earlier one was answered; the server does not hear of them. */
export function cache(every: number): Clerk {
  let kept: { readonly headers: IncomingHttpHeaders; readonly body: Buffer } | null = null;
  return async ({ n, isPost, forward }, response) => {
    if (isPost && kept !== null && n % every === every - 1) {
      response.writeHead(200, kept.headers).end(kept.body);
      return;
    }
    const answer = await forward();
    const { headers } = answer;
    if (isPost && 'content-length' in headers) {
      const body = await buffer(answer);
      if (answer.statusCode === 200) kept = { headers: ofMessage(headers), body };
      response.writeHead(answer.statusCode ?? 502, ofMessage(headers)).end(body);
    } else relay(answer, response);
  };
}

/** Cuts answers that get longer, in bytes or in time. */
export function cutter({ bytesMax = Number.POSITIVE_INFINITY, msMax = 2 ** 31 - 1 }): Clerk {
  return async ({ forward }, response) => {
    const timer = setTimeout(() => response.destroy(), msMax);
    response.on('close', () => clearTimeout(timer));
    const answer = await forward();
    let passed = 0;
    answer.on('data', (bytes: Buffer) => {
      passed += bytes.length;
      if (passed > bytesMax) response.destroy();
    });
    relay(answer, response);
  };
}

/** Says that an answer is whole which is not: it ends as it should, after so many bytes. */
export function truncator(bytesMax: number): Clerk {
  return async ({ forward }, response) => {
    const answer = await forward();
    const { 'content-length': _, ...headers } = ofMessage(answer.headers);
    response.writeHead(answer.statusCode ?? 502, headers);
    response.flushHeaders();
    let left = bytesMax;
    for await (const bytes of answer as AsyncIterable<Buffer>) {
      response.write(bytes.subarray(0, left));
      left -= bytes.length;
      if (left <= 0) break;
    }
    response.end();
  };
}

/** Speaks HTTP/1.0: an answer has no length and no chunks, and ends with its connection. */
export const downgrader: Clerk = async ({ forward }, response) => {
  const answer = await forward();
  const { 'content-length': _, ...headers } = ofMessage(answer.headers);
  const { socket } = response;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket?.write(`HTTP/1.0 ${answer.statusCode} ${answer.statusMessage}\r\n${lines.join('')}connection: close\r\n\r\n`);
  answer.on('data', (bytes: Buffer) => socket?.write(bytes));
  answer.on('close', () => socket?.destroySoon());
  answer.on('error', () => {});
};

/** Every connection is for one request. */
export const closer: Clerk = async ({ headers, forward }, response) => {
  const answer = await forward({ ...headers, connection: 'close' });
  relay(answer, response, { ...ofMessage(answer.headers), connection: 'close' });
};

/** Takes no body that is longer. */
export function bouncer(bytesMax: number): Clerk {
  return async ({ headers, forward }, response) => {
    if (Number(headers['content-length'] ?? 0) > bytesMax) refuse(response, 413);
    else relay(await forward(), response);
  };
}

/** Holds each answer for a while, and passes it on as it then comes. */
export function hesitator(ms: number): Clerk {
  return async ({ forward }, response) => {
    const answer: IncomingMessage = await forward();
    const timer = setTimeout(() => relay(answer, response), ms);
    response.on('close', () => clearTimeout(timer));
  };
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'text/html' }).end(`<title>${status}</title>\n`);
}
