import { describe, expect, it } from 'vitest';
import { TestNetwork } from '../src/test-network.ts';

const URL = 'http://runnel.test/';

/** A server that answers nobody but those who have gone, and what it was asked. */
function silentServer(): { network: TestNetwork; requests: Request[] } {
  const requests: Request[] = [];
  const network = new TestNetwork((request) => {
    requests.push(request);
    return new Promise<Response>((resolve) => {
      request.signal.addEventListener('abort', () => setImmediate(resolve, new Response(null, { status: 499 })));
    });
  });
  return { network, requests };
}

/** A server whose answers begin and do not end. */
function streamingServer(): { network: TestNetwork; left: Promise<void> } {
  let leave = (): void => {};
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const network = new TestNetwork(async () => {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode('begun')),
      cancel: leave,
    });
    return new Response(body, { status: 201, headers: { 'x-kept': 'yes' } });
  });
  return { network, left };
}

describe('The network between a test client and its server', () => {
  it('hands over what is sent, and what is answered', async () => {
    const network = new TestNetwork(async (request) => new Response(`${request.method} ${await request.text()}`));
    const response = await network.fetch(URL, { method: 'POST', body: 'hi' });
    expect(await response.text()).toBe('POST hi');
    await network.quiet();
  });

  it('when it is cut, fails who waits for an answer, and tells the server', async () => {
    const { network, requests } = silentServer();
    const answer = network.fetch(URL, { method: 'POST', body: '' });
    network.cut();
    await expect(answer).rejects.toThrow('the network was cut');
    expect(requests.map(({ signal }) => signal.aborted)).toEqual([true]);
    await network.quiet();
  });

  it('when it is cut, fails who reads an answer, and tells the server', async () => {
    const { network, left } = streamingServer();
    const response = await network.fetch(URL, {});
    expect([response.status, response.headers.get('x-kept')]).toEqual([201, 'yes']);
    const reader = response.body?.getReader();
    await reader?.read();
    network.cut();
    await expect(reader?.read()).rejects.toThrow('the network was cut');
    await left;
    await network.quiet();
  });

  it('passes on that the client gives up, before the answer and within it', async () => {
    const { network, requests } = silentServer();
    const giving = new AbortController();
    const answer = network.fetch(URL, { signal: giving.signal });
    giving.abort(new Error('enough'));
    await expect(answer).rejects.toThrow('enough');
    expect(requests[0]?.signal.aborted).toBe(true);
    await expect(network.fetch(URL, { signal: giving.signal })).rejects.toThrow('enough');
    const streaming = streamingServer();
    const response = await streaming.network.fetch(URL, {});
    await response.body?.cancel();
    await streaming.left;
    await streaming.network.quiet();
  });

  it('lets nothing through while it is off', async () => {
    const network = new TestNetwork(async () => new Response('here'));
    network.turnOff();
    await expect(network.fetch(URL, {})).rejects.toThrow('the network is off');
    network.turnOn();
    expect(await (await network.fetch(URL, {})).text()).toBe('here');
  });

  it('is quiet when both ends are done', async () => {
    const { network, left } = streamingServer();
    const order: string[] = [];
    void left.then(() => order.push('left'));
    const response = await network.fetch(URL, {});
    const quiet = network.quiet().then(() => order.push('quiet'));
    await response.body?.cancel();
    await quiet;
    expect(order).toEqual(['left', 'quiet']);
  });
});
