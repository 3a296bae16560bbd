import { channel, defineContract, RunnelError, Type } from '@runnel/protocol';
import { describe, expect, it } from 'vitest';
import { Harness, type TestClient } from './harness.ts';
import { type BoardHandlers, openBoard } from './open-board.ts';
import { openRoom } from './open-room.ts';
import { text } from './schemas.ts';
import { turn } from './virtual-clock.ts';

/** A handler that waits to be let go, and what it saw. */
function gate() {
  const calls: { context: { signal: AbortSignal }; done: (reply: unknown) => void; fail: (error: unknown) => void }[] =
    [];
  const handler = (context: { signal: AbortSignal }) =>
    new Promise((resolve, reject) => calls.push({ context, done: resolve, fail: reject }));
  return { calls, handler };
}

describe('a request', () => {
  it('is answered with what its handler returned, as the schema puts it', async () => {
    const ann = await openRoom({ requests: { edit: ({ data }) => ({ text: ` ${data.id} ` }) } }).connect('ann');
    const id = ann.request('room/a', 'edit', { id: '7' });
    expect(await ann.answer(id)).toEqual([Type.result, id, { text: '7' }]);
  });

  it('is answered without data where the contract declares none', async () => {
    const seen: unknown[] = [];
    const ann = await openRoom({ requests: { leave: ({ data }) => void seen.push(data) } }).connect('ann');
    const id = ann.request('room/a', 'leave', { ignored: true });
    expect(await ann.answer(id)).toEqual([Type.result, id]);
    expect(seen).toEqual([undefined]);
  });

  it('is validated by schemas that take their time', async () => {
    const ann = await openRoom().connect('ann');
    const good = ann.request('room/a', 'late', 'x');
    expect(await ann.answer(good)).toEqual([Type.result, good, 'x']);
    expect(await ann.codeOf(ann.request('room/a', 'late', 5))).toBe('validation_failed');
  });

  it('does not wait for others', async () => {
    const { calls, handler } = gate();
    const ann = await openRoom({ requests: { count: handler } }).connect('ann');
    const ids = [ann.request('room/a', 'count'), ann.request('room/a', 'count')];
    await turn();
    calls[1]?.done(2);
    expect(await ann.answer(ids[1] as number)).toEqual([Type.result, ids[1], 2]);
    calls[0]?.done(1);
    expect(await ann.answer(ids[0] as number)).toEqual([Type.result, ids[0], 1]);
  });

  it.each([
    ['room/a', 'nothing', 'unknown_method'],
    ['room/a', '__proto__', 'unknown_method'],
    ['room/a', '$made-up', 'unknown_method'],
    ['ticker', 'edit', 'unknown_method'],
    ['nowhere', 'edit', 'unknown_channel'],
    ['constructor', '$members', 'unknown_channel'],
    ['', 'edit', 'channel_invalid'],
  ])('of %s for %s is answered %s', async (channel, method, code) => {
    const ann = await openRoom().connect('ann');
    expect(await ann.codeOf(ann.request(channel, method, {}))).toBe(code);
  });

  it('fails as the contract declares, with validated data', async () => {
    const ann = await openRoom({ requests: { edit: ({ fail }) => fail('locked', { by: 'Bob', secret: 1 }) } }).connect(
      'ann',
    );
    const answer = await ann.answer(ann.request('room/a', 'edit', { id: '1' }));
    expect(answer.slice(2)).toEqual(['app:locked', 'the request failed: locked', false, { by: 'Bob' }]);
  });

  it.each([
    ['with data that its schema refuses', 'locked', {}],
    ['in a way that is not declared', 'gone', {}],
    ['in the way of a prototype', 'constructor', {}],
  ])('does not fail %s', async (_, name, data) => {
    const harness = openRoom({ requests: { edit: ({ fail }) => fail(name, data) } });
    const ann = await harness.connect('ann');
    expect(await ann.codeOf(ann.request('room/a', 'edit', { id: '1' }))).toBe('handler_failed');
    expect(harness.errors).toHaveLength(1);
  });

  it('does not tell a client of an answer that its schema refuses', async () => {
    const harness = openRoom({ requests: { count: () => 'many' } });
    const ann = await harness.connect('ann');
    expect((await ann.answer(ann.request('room/a', 'count'))).slice(2)).toEqual([
      'handler_failed',
      'the handler failed',
      true,
    ]);
    expect(harness.errors).toMatchObject([{ error: { code: 'validation_failed' }, context: { method: 'count' } }]);
  });

  it('does not send an answer above the limit', async () => {
    const harness = openRoom({ requests: { late: () => 'x'.repeat(2_000) } }, { limits: { messageBytes: 1_000 } });
    const ann = await harness.connect('ann');
    expect(await ann.codeOf(ann.request('room/a', 'late', 'x'))).toBe('handler_failed');
    expect(harness.errors).toMatchObject([{ error: { code: 'payload_too_large' } }]);
  });

  it('never tells a client what a handler threw', async () => {
    const harness = openRoom({
      requests: {
        count: () => {
          throw new TypeError('cannot read properties of undefined');
        },
      },
    });
    const ann = await harness.connect('ann');
    expect((await ann.answer(ann.request('room/a', 'count'))).slice(2)).toEqual([
      'handler_failed',
      'the handler failed',
      true,
    ]);
    expect(harness.errors).toMatchObject([
      { context: { during: 'request', channel: 'room/a', method: 'count', user: 'ann' } },
    ]);
  });

  it('survives an onError that throws', async () => {
    const printed: unknown[] = [];
    const print = console.error;
    console.error = (...args: unknown[]) => printed.push(args);
    try {
      const onError = (): never => {
        throw new Error('the logger is down');
      };
      const harness = openRoom(
        { requests: { count: () => Promise.reject(new Error('x')) } },
        { application: { onError } },
      );
      const ann = await harness.connect('ann');
      expect(await ann.codeOf(ann.request('room/a', 'count'))).toBe('handler_failed');
      expect(printed).toHaveLength(1);
    } finally {
      console.error = print;
    }
  });

  it('passes on an error of the table, its message cut', async () => {
    const error = new RunnelError('overloaded', 'x'.repeat(10_000));
    const ann = await openRoom({ requests: { count: () => Promise.reject(error) } }).connect('ann');
    const answer = await ann.answer(ann.request('room/a', 'count'));
    expect(answer.slice(2)).toEqual(['overloaded', 'x'.repeat(512), true]);
  });
});

describe('the time limit of a request', () => {
  it('answers timeout and aborts the signal; what comes later is not sent', async () => {
    const { calls, handler } = gate();
    const harness = openRoom({ requests: { count: handler } });
    const ann = await harness.connect('ann');
    const id = ann.request('room/a', 'count', null, 500);
    await turn();
    const { signal } = calls[0]?.context ?? {};
    await harness.clock.advance(500);
    expect(await ann.codeOf(id)).toBe('timeout');
    expect(signal?.aborted).toBe(true);
    calls[0]?.done(1);
    await turn();
    expect(ann.answers(id)).toHaveLength(1);
  });

  it("is the server's where the client names none", async () => {
    const { handler } = gate();
    const harness = openRoom({ requests: { count: handler } }, { application: { handlerMs: 1_000 } });
    const ann = await harness.connect('ann');
    const id = ann.request('room/a', 'count');
    await harness.clock.advance(1_000);
    expect(await ann.codeOf(id)).toBe('timeout');
  });

  it('leaves no timer behind', async () => {
    const harness = openRoom();
    const ann = await harness.connect('ann');
    await ann.answer(ann.request('room/a', 'count'));
    await ann.answer(ann.publish('room/a', 'message', { text: 'x' }));
    expect(harness.clock.pending).toBe(0);
  });
});

describe('cancel', () => {
  it('answers canceled and aborts the signal, asked for before or after', async () => {
    const { calls, handler } = gate();
    const harness = openRoom({ requests: { count: handler } });
    const ann = await harness.connect('ann');
    const id = ann.request('room/a', 'count');
    await turn();
    ann.send([Type.cancel, id]);
    expect(await ann.codeOf(id)).toBe('canceled');
    expect(calls[0]?.context.signal.aborted).toBe(true);
    calls[0]?.fail(calls[0].context.signal.reason);
    await turn();
    expect(harness.errors).toEqual([]);
    expect(ann.answers(id)).toHaveLength(1);
  });

  it('of a call that is not there means nothing', async () => {
    const ann = await openRoom().connect('ann');
    ann.send([Type.cancel, 77]);
    await turn();
    expect(ann.session.ended).toBeNull();
  });
});

describe('a session that ends', () => {
  it('aborts its requests', async () => {
    const { calls, handler } = gate();
    const harness = openRoom({ requests: { count: handler } });
    const ann = await harness.connect('ann');
    ann.request('room/a', 'count');
    await turn();
    const { signal } = calls[0]?.context ?? {};
    ann.send([Type.goaway, 'closed', '', 0]);
    expect(signal?.aborted).toBe(true);
    expect(harness.clock.pending).toBe(0);
    expect(harness.app.stats.calls).toBe(0);
  });
});

describe('the limit on calls', () => {
  it('refuses those beyond it and takes others when some are answered', async () => {
    const { calls, handler } = gate();
    const harness = openRoom({ requests: { count: handler } }, { limits: { calls: 2 } });
    const ann = await harness.connect('ann');
    ann.request('room/a', 'count');
    ann.request('room/a', 'count');
    expect(await ann.codeOf(ann.request('room/a', 'count'))).toBe('limit_reached');
    expect(await ann.codeOf(ann.publish('room/a', 'message', { text: 'x' }))).toBe('limit_reached');
    calls[0]?.done(1);
    await turn();
    expect(await ann.codeOf(ann.publish('room/a', 'message', { text: 'x' }))).toBeNull();
  });

  it('ends a session that uses the id of a call under way', async () => {
    const { handler } = gate();
    const ann = await openRoom({ requests: { count: handler } }).connect('ann');
    const { session } = ann;
    ann.send([Type.request, 5, 'room/a', 'count', null]);
    ann.send([Type.request, 5, 'room/a', 'count', null]);
    expect(session.ended).toBe('protocol_error');
  });
});

describe('a request that went up in an earlier session', () => {
  const again = (client: TestClient, channel: string, method: string, data: unknown): number => {
    client.send([Type.request, 1, channel, method, data, 0, { again: true }]);
    return 1;
  };

  it('runs where the contract calls it idempotent', async () => {
    const ann = await openBoard({ find: ({ data }) => `found ${data}` }).connect('ann');
    expect(await ann.answer(again(ann, 'board/a', 'find', 'x'))).toEqual([Type.result, 1, 'found x']);
  });

  it('runs where it is built in', async () => {
    const ann = await openRoom().connect('ann');
    expect(await ann.codeOf(again(ann, 'room/a', '$enter', { color: 'red' }))).toBeNull();
  });

  it.each<[string, keyof BoardHandlers]>([
    ['move', 'move'],
    ['ask', 'ask'],
  ])('is indeterminate otherwise, and not even authorised: %s', async (method, handler) => {
    const ran: string[] = [];
    const harness = openBoard({
      authorize: () => {
        ran.push('authorize');
        return true;
      },
      [handler]: () => {
        ran.push('handler');
        return [];
      },
    });
    const ann = await harness.connect('ann');
    ann.send([
      Type.request,
      1,
      'board/a',
      method,
      1,
      0,
      method === 'ask' ? { credit: 5, again: true } : { again: true },
    ]);
    const [, , code, message, retryable] = await ann.answer(1);
    expect([code, retryable]).toEqual(['indeterminate', true]);
    expect(message).toContain(`${method} of board/a may or may not have run`);
    expect(ran).toEqual([]);
    expect(harness.errors).toEqual([]);
  });

  it('is told of a mistake before that', async () => {
    const ann = await openBoard().connect('ann');
    expect(await ann.codeOf(again(ann, 'board/a', 'nothing', 1))).toBe('unknown_method');
  });
});

describe('a name that the contract does not have', () => {
  const hint = 'Is the client built from the same contract as this server?';

  it.each([
    ['nowhere', 'x', 'no channel is called "nowhere"; there is room/:roomId, log, ticker, user/:userId.'],
    ['room/a', 'edti', 'room/:roomId has no request "edti"; there is edit, count, leave, late.'],
    ['ticker', 'edit', 'ticker has no request "edit"; there is none.'],
    ['room/a', '$enterr', 'no built-in method is called "$enterr"; there is $auth, $enter, $leave, $members,'],
  ])('is answered with those that it has: %s, %s', async (channel, method, message) => {
    const ann = await openRoom().connect('ann');
    const answer = await ann.answer(ann.request(channel, method));
    expect(answer[3]).toContain(message);
    expect(answer[3]).toContain(hint);
  });

  it.each([
    ['nothing', 'clients cannot publish "nothing" to room/:roomId; there is message, note.'],
    ['typing', 'typing of room/:roomId is volatile: use send(), which has no answer'],
  ])('is answered likewise where it is published: %s', async (event, message) => {
    const ann = await openRoom().connect('ann');
    expect((await ann.answer(ann.publish('room/a', event, 'x')))[3]).toContain(message);
  });

  it('is answered with as many as there is room for', async () => {
    const requests = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`request-number-${i}`, {}]));
    const contract = defineContract({ crowded: channel({ events: { line: text }, requests }) });
    const ann = await new Harness({ contract }).connect('ann');
    const message = (await ann.answer(ann.request('crowded', '\u0001'.repeat(5_000))))[3] as string;
    expect(message.length).toBeLessThanOrEqual(512);
    const short = (await ann.answer(ann.request('crowded', 'x')))[3] as string;
    expect(short).toContain('there is request-number-0, request-number-1, ');
    expect(short).toContain(' more. Is the client');
  });
});
