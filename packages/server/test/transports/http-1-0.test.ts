import { expect, it } from 'vitest';
import {
  attachByPoll,
  attachFrame,
  lines,
  post,
  postFrame,
  RawConnection,
  requestFrame,
  requestText,
} from './clients.ts';
import { serve } from './test-server.ts';

it('answers with a length and ends the connection', async () => {
  const server = await serve();
  const raw = new RawConnection(server.port);
  raw.write(requestText(lines(attachFrame()), { version: '1.0' }));
  await raw.ended;
  const [head, body] = raw.received.split('\r\n\r\n');
  expect(head).toMatch(/^HTTP\/1\.1 200 /);
  expect(head).not.toMatch(/chunked/i);
  expect(head).toContain(`Content-Length: ${body?.length}`);
  expect(body?.endsWith('[13]\n')).toBe(true);
});

it('keeps the connection where the client asks for it', async () => {
  const server = await serve();
  const raw = new RawConnection(server.port);
  const headers = 'Connection: keep-alive\r\n';
  raw.write(requestText(lines(attachFrame()), { version: '1.0', headers }));
  await raw.until('[13]\n');
  raw.write(requestText(lines(attachFrame({ gen: 2 })), { version: '1.0', headers }));
  await raw.until('"gen":2');
});

it('streams without chunks until the connection ends', async () => {
  const server = await serve();
  const raw = new RawConnection(server.port);
  raw.write(requestText(lines(attachFrame({ mode: 'stream' })), { version: '1.0' }));
  const opened = await raw.until('"resumed":false');
  expect(opened).not.toMatch(/chunked|content-length/i);
  const { key } = server.app.session;
  server.app.broadcast(1, 'news');
  await raw.until('\n[16,1,1,0,"news"]\n');
  await attachByPoll(server, { key, gen: 2, rx: 1 });
  await raw.ended;
  expect(raw.received).toContain('[4,"superseded"');
});

it('takes a POST', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  const raw = new RawConnection(server.port);
  raw.write(requestText(lines(postFrame(welcome), requestFrame(1, 'a')), { version: '1.0' }));
  await raw.until('"rx":1');
  expect((await post(server.url, lines(postFrame(welcome, { n: 2, base: 1 })))).frames[0]?.[1]).toMatchObject({
    rx: 1,
  });
});

it('refuses a stripped upgrade without promising to keep the connection', async () => {
  const server = await serve();
  const raw = new RawConnection(server.port);
  raw.write('GET /realtime HTTP/1.0\r\n\r\n');
  await raw.ended;
  expect(raw.received).toMatch(/^HTTP\/1\.1 426 /);
});
