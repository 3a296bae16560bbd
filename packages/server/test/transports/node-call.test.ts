import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { expect, it } from 'vitest';
import { NodeCall } from '../../src/transports/node-call.ts';

async function callAfterReading(made: Record<string, unknown>): Promise<NodeCall> {
  const request = new PassThrough();
  request.end('text');
  request.resume();
  await finished(request);
  return new NodeCall(
    Object.assign(request, made) as unknown as IncomingMessage,
    new PassThrough() as unknown as ServerResponse,
  );
}

it('takes what a framework has made of a body that it has read', async () => {
  for (const body of ['text', Buffer.from('text')]) {
    expect((await callAfterReading({ body })).bodyRead?.toString()).toBe('text');
  }
});

it('takes a body that was read and made into something else for an empty one', async () => {
  expect((await callAfterReading({ body: { parsed: 1 } })).bodyRead).toHaveLength(0);
  expect((await callAfterReading({})).bodyRead).toHaveLength(0);
});

it('takes a body that nobody has read for one that is still to come', () => {
  const request = new PassThrough() as unknown as IncomingMessage;
  expect(new NodeCall(request, new PassThrough() as unknown as ServerResponse).bodyRead).toBeNull();
});
