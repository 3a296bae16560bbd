import { RunnelError, Type } from '@runnel/protocol';
import { describe, expect, it } from 'vitest';
import { Gates } from './gates.ts';
import { type AnyHandlers, openRoom } from './open-room.ts';
import { turn } from './virtual-clock.ts';

/** A handler that waits to be let go, and what it saw. */
function gate() {
  const calls: {
    context: { data: { text: string }; signal: AbortSignal };
    done: () => void;
    fail: (error: unknown) => void;
  }[] = [];
  const handler = (context: (typeof calls)[number]['context']) =>
    new Promise<void>((resolve, reject) => calls.push({ context, done: resolve, fail: reject }));
  return { calls, handler };
}

describe('a publish', () => {
  it('is validated, handled, broadcast to its publisher too, and answered last', async () => {
    const harness = openRoom();
    const ann = await harness.connect('ann');
    await ann.answer(ann.subscribe('room/a'));
    const id = ann.publish('room/a', 'message', { text: ' hi ' });
    expect(await ann.answer(id)).toEqual([Type.result, id]);
    expect(ann.frames.slice(-2)).toEqual([
      [Type.message, 1, 1, 0, { text: 'hi' }, { by: ann.session.client }],
      [Type.result, id],
    ]);
  });

  it('is relayed without a handler where the contract says so', async () => {
    const harness = openRoom();
    const [ann, bob] = [await harness.connect('ann'), await harness.connect('bob')];
    await bob.answer(bob.subscribe('room/a'));
    expect(await ann.codeOf(ann.publish('room/a', 'note', 'hello'))).toBeNull();
    expect(bob.ofType(Type.message)).toEqual([[16, 1, 1, 2, 'hello', { by: ann.session.client }]]);
    expect(await ann.codeOf(ann.publish('room/a', 'note', 5))).toBe('validation_failed');
  });

  it('is refused with the issues of its schema', async () => {
    const ann = await openRoom().connect('ann');
    const answer = await ann.answer(ann.publish('room/a', 'message', {}));
    const message = 'publish message of room/a is invalid: expected text';
    const issues = [{ path: [], message: 'expected text' }];
    expect(answer.slice(2)).toEqual(['validation_failed', message, false, { issues }]);
  });

  it.each([
    ['room/a', 'nothing', 'unknown_event'],
    ['room/a', 'stamped', 'unknown_event'],
    ['room/a', 'typing', 'unknown_event'],
    ['room/a', '__proto__', 'unknown_event'],
    ['room/a', 'x'.repeat(1_000), 'unknown_event'],
    ['nowhere', 'message', 'unknown_channel'],
    ['__proto__', 'message', 'unknown_channel'],
    ['x'.repeat(300), 'message', 'channel_invalid'],
  ])('to %.20s of %.20s is answered %s', async (channel, event, code) => {
    const ann = await openRoom().connect('ann');
    expect(await ann.codeOf(ann.publish(channel, event, { text: 'x' }))).toBe(code);
  });

  it('waits for the one before it of the same session and channel', async () => {
    const { calls, handler } = gate();
    const harness = openRoom({ publish: { message: handler } });
    const [ann, bob] = [await harness.connect('ann'), await harness.connect('bob')];
    ann.publish('room/a', 'message', { text: '1' });
    ann.publish('room/a', 'message', { text: '2' });
    ann.publish('room/b', 'message', { text: '3' });
    bob.publish('room/a', 'message', { text: '4' });
    await turn();
    expect(calls.map(({ context }) => context.data.text)).toEqual(['1', '3', '4']);
    calls[0]?.fail(new Error('no'));
    await turn();
    expect(calls.map(({ context }) => context.data.text)).toEqual(['1', '3', '4', '2']);
  });

  it('is answered when the broker has accepted what its handler broadcast, awaited or not', async () => {
    const gates = new Gates();
    const harness = openRoom(
      { publish: { message: ({ channel, data }) => void channel.broadcast('message', data) } },
      { latency: gates.latency },
    );
    const ann = await harness.connect('ann');
    gates.hold('accepted');
    const id = ann.publish('room/a', 'message', { text: 'x' });
    await turn();
    expect(ann.answers(id)).toEqual([]);
    gates.release('accepted');
    expect(await ann.codeOf(id)).toBeNull();
  });

  it('fails with broker_failed when the broker did not accept it', async () => {
    const gates = new Gates();
    const harness = openRoom({}, { latency: gates.latency });
    const ann = await harness.connect('ann');
    gates.hold('publish');
    const ids = [ann.publish('room/a', 'message', { text: 'x' }), ann.publish('room/b', 'note', 'x')];
    await turn();
    gates.fail('publish');
    await turn();
    for (const id of ids) expect(await ann.codeOf(id)).toBe('broker_failed');
    expect(harness.errors.some(({ context }) => context.during === 'broadcast')).toBe(true);
  });

  it('never tells a client what a handler threw, and tells the app once', async () => {
    const failure = new Error('the password is 1234');
    const harness = openRoom({
      publish: {
        message: () => {
          throw failure;
        },
      },
    });
    const ann = await harness.connect('ann');
    const answer = await ann.answer(ann.publish('room/a', 'message', { text: 'x' }));
    expect(answer.slice(2)).toEqual(['handler_failed', 'the handler failed', true]);
    expect(harness.errors).toEqual([
      { error: failure, context: { during: 'publish', channel: 'room/a', event: 'message', user: 'ann' } },
    ]);
  });

  it('passes on an error that the handler threw with a code of the table', async () => {
    const error = new RunnelError('forbidden', 'not on Sundays', { data: { day: 0 } });
    const harness = openRoom({ publish: { message: () => Promise.reject(error) } });
    const ann = await harness.connect('ann');
    const answer = await ann.answer(ann.publish('room/a', 'message', { text: 'x' }));
    expect(answer.slice(2)).toEqual(['forbidden', 'not on Sundays', false, { day: 0 }]);
    expect(harness.errors).toEqual([]);
  });

  it('does not blame the client for what the handler broadcast wrong', async () => {
    const harness = openRoom({ publish: { message: ({ channel }) => channel.broadcast('message', { text: '' }) } });
    const ann = await harness.connect('ann');
    expect(await ann.codeOf(ann.publish('room/a', 'message', { text: 'x' }))).toBe('handler_failed');
    expect(harness.errors).toHaveLength(1);
    expect(harness.errors[0]?.error).toMatchObject({ code: 'validation_failed' });
  });

  it.each([undefined, null, 'text', 0, { code: 'forbidden' }, new RunnelError('app:made_up', 'x')])(
    'survives a handler that throws %s',
    async (thrown) => {
      const harness = openRoom({ publish: { message: () => Promise.reject(thrown) } });
      const ann = await harness.connect('ann');
      expect(await ann.codeOf(ann.publish('room/a', 'message', { text: 'x' }))).toBe('handler_failed');
      expect(harness.errors).toHaveLength(1);
    },
  );
});

describe('an idempotency key', () => {
  it('runs a handler once and gives the same answer again', async () => {
    let runs = 0;
    const harness = openRoom({ publish: { message: () => void runs++ } });
    const ann = await harness.connect('ann');
    expect(await ann.codeOf(ann.publish('room/a', 'message', { text: 'x' }, 'same'))).toBeNull();
    expect(await ann.codeOf(ann.publish('room/a', 'message', { text: 'x' }, 'same'))).toBeNull();
    expect(runs).toBe(1);
  });

  it('gives the first failure again', async () => {
    let runs = 0;
    const harness = openRoom({
      publish: {
        message: () => {
          runs += 1;
          throw new RunnelError('forbidden', `attempt ${runs}`);
        },
      },
    });
    const ann = await harness.connect('ann');
    const first = await ann.answer(ann.publish('room/a', 'message', { text: 'x' }, 'same'));
    const second = await ann.answer(ann.publish('room/a', 'message', { text: 'x' }, 'same'));
    expect(second.slice(2)).toEqual(first.slice(2));
    expect(runs).toBe(1);
  });

  it('is shared by the session that follows a lost one, while the handler still runs', async () => {
    const { calls, handler } = gate();
    const harness = openRoom({ publish: { message: handler } });
    const ann = await harness.connect('ann');
    ann.publish('room/a', 'message', { text: 'x' }, 'same');
    await turn();
    ann.send([Type.goaway, 'closed', '', 0]);
    const again = await harness.connect('ann');
    const id = again.publish('room/a', 'message', { text: 'x' }, 'same');
    const next = again.publish('room/a', 'message', { text: 'y' }, 'next');
    await turn();
    expect(calls).toHaveLength(1);
    expect(calls[0]?.context.signal.aborted).toBe(false);
    calls[0]?.done();
    expect(await again.codeOf(id)).toBeNull();
    expect(calls).toHaveLength(2);
    calls[1]?.done();
    expect(await again.codeOf(next)).toBeNull();
  });

  it('is shared by sessions of one user that are there at once, each of which keeps its own order', async () => {
    const { calls, handler } = gate();
    const harness = openRoom({ publish: { message: handler } });
    const [one, two] = [await harness.connect('ann'), await harness.connect('ann')];
    const first = one.publish('room/a', 'message', { text: 'x' }, 'same');
    const later = one.publish('room/a', 'message', { text: 'one' }, 'of one');
    const own = two.publish('room/a', 'message', { text: 'two' }, 'of two');
    const second = two.publish('room/a', 'message', { text: 'x' }, 'same');
    await turn();
    // Neither waits for the other's queue.
    expect(calls.map(({ context }) => context.data.text)).toEqual(['x', 'two']);
    calls[1]?.done();
    expect(await two.codeOf(own)).toBeNull();
    expect(two.answers(second)).toEqual([]);
    calls[0]?.done();
    expect(await one.codeOf(first)).toBeNull();
    expect(await two.codeOf(second)).toBeNull();
    expect(calls.map(({ context }) => context.data.text)).toEqual(['x', 'two', 'one']);
    calls[2]?.done();
    expect(await one.codeOf(later)).toBeNull();
  });

  it('is what the handler is given', async () => {
    const keys: unknown[] = [];
    const harness = openRoom({
      publish: {
        message: ({ idempotencyKey }) => void keys.push(idempotencyKey),
        nudge: ({ idempotencyKey }) => void keys.push(idempotencyKey),
      },
    });
    const ann = await harness.connect('ann');
    await ann.answer(ann.publish('room/a', 'message', { text: 'x' }, 'my-key'));
    ann.send([Type.volatile, 'room/a', 'nudge', 'x']);
    await turn();
    expect(keys).toEqual(['my-key', undefined]);
  });

  it('does not run what had not begun when its session was lost', async () => {
    const { calls, handler } = gate();
    const harness = openRoom({ publish: { message: handler } });
    const ann = await harness.connect('ann');
    ann.publish('room/a', 'message', { text: '1' });
    ann.publish('room/a', 'message', { text: '2' });
    await turn();
    ann.send([Type.goaway, 'closed', '', 0]);
    calls[0]?.done();
    await turn();
    expect(calls).toHaveLength(1);
  });

  it('means nothing from another user, or on another channel', async () => {
    let runs = 0;
    const harness = openRoom({ publish: { message: () => void runs++ } });
    const [ann, bob] = [await harness.connect('ann'), await harness.connect('bob')];
    await ann.answer(ann.publish('room/a', 'message', { text: 'x' }, 'same'));
    await ann.answer(ann.publish('room/b', 'message', { text: 'x' }, 'same'));
    await bob.answer(bob.publish('room/a', 'message', { text: 'x' }, 'same'));
    expect(runs).toBe(3);
  });

  it('is forgotten after the window', async () => {
    let runs = 0;
    const harness = openRoom({ publish: { message: () => void runs++ } }, { limits: { dedupMs: 1_000 } });
    const ann = await harness.connect('ann');
    await ann.answer(ann.publish('room/a', 'message', { text: 'x' }, 'same'));
    await harness.clock.advance(1_000);
    await ann.answer(ann.publish('room/a', 'message', { text: 'x' }, 'same'));
    expect(runs).toBe(2);
  });

  it('is forgotten where nothing was begun', async () => {
    let allowed = false;
    const harness = openRoom({ authorize: () => allowed });
    const ann = await harness.connect('ann');
    expect(await ann.codeOf(ann.publish('room/a', 'message', { text: 'x' }, 'same'))).toBe('forbidden');
    allowed = true;
    expect(await ann.codeOf(ann.publish('room/a', 'message', { text: 'x' }, 'same'))).toBeNull();
  });

  it('runs again what the broker did not accept, which is one message then, also if it had come after all', async () => {
    const gates = new Gates();
    let runs = 0;
    const publish: AnyHandlers['publish'] = {
      message: ({ channel, data }) => {
        runs += 1;
        return channel.broadcast('message', data);
      },
    };
    const harness = openRoom({ publish }, { latency: gates.latency });
    const ann = await harness.connect('ann');
    await ann.answer(ann.subscribe('room/a'));
    // The broker accepts it, and nobody hears of that.
    gates.hold('accepted');
    const first = ann.publish('room/a', 'message', { text: 'x' }, 'same');
    await turn();
    gates.fail('accepted');
    await turn();
    expect(await ann.codeOf(first)).toBe('broker_failed');
    expect(await ann.codeOf(ann.publish('room/a', 'message', { text: 'x' }, 'same'))).toBeNull();
    expect(runs).toBe(2);
    expect(ann.messages).toEqual([{ text: 'x' }]);
  });

  it('makes each broadcast of a handler that runs again one message', async () => {
    const handlers: AnyHandlers = {
      publish: {
        message: async ({ channel, data, idempotencyKey }) => {
          await channel.broadcast('message', { text: `${data.text} 1 ${idempotencyKey}` });
          await channel.broadcast('message', { text: `${data.text} 2 ${idempotencyKey}` });
        },
      },
    };
    const first = openRoom(handlers);
    const ann = await first.connect('ann');
    await ann.answer(ann.publish('room/a', 'message', { text: 'x' }, 'same'));
    // The node dies; another, with the same broker, runs the handler again.
    const second = openRoom(handlers, { broker: first.broker });
    const again = await second.connect('ann');
    await again.answer(again.subscribe('room/a', { rewind: 10 }));
    await again.answer(again.publish('room/a', 'message', { text: 'x' }, 'same'));
    expect(again.messages).toEqual([{ text: 'x 1 same' }, { text: 'x 2 same' }]);
  });
});

describe('cancel', () => {
  it('answers canceled, aborts the signal, and holds the queue until the handler has stopped', async () => {
    const { calls, handler } = gate();
    const harness = openRoom({ publish: { message: handler } });
    const ann = await harness.connect('ann');
    const id = ann.publish('room/a', 'message', { text: '1' });
    ann.publish('room/a', 'message', { text: '2' });
    await turn();
    const signal = calls[0]?.context.signal;
    ann.send([Type.cancel, id]);
    expect(await ann.codeOf(id)).toBe('canceled');
    expect(signal?.aborted).toBe(true);
    expect(calls).toHaveLength(1);
    calls[0]?.fail(signal?.reason);
    await turn();
    expect(calls).toHaveLength(2);
    expect(ann.answers(id)).toHaveLength(1);
    expect(harness.errors).toEqual([]);
  });

  it('keeps a publish that waits from running', async () => {
    const { calls, handler } = gate();
    const ann = await openRoom({ publish: { message: handler } }).connect('ann');
    ann.publish('room/a', 'message', { text: '1' });
    const id = ann.publish('room/a', 'message', { text: '2' });
    await turn();
    ann.send([Type.cancel, id]);
    calls[0]?.done();
    expect(await ann.codeOf(id)).toBe('canceled');
    expect(calls).toHaveLength(1);
  });
});

describe('a handler that does not finish', () => {
  it('is answered timeout, aborted, and holds up nobody any longer', async () => {
    const { calls, handler } = gate();
    const harness = openRoom({ publish: { message: handler } }, { application: { handlerMs: 5_000 } });
    const ann = await harness.connect('ann');
    const id = ann.publish('room/a', 'message', { text: '1' });
    ann.publish('room/a', 'message', { text: '2' });
    await turn();
    const signal = calls[0]?.context.signal;
    await harness.clock.advance(5_000);
    expect(await ann.codeOf(id)).toBe('timeout');
    expect(signal?.aborted).toBe(true);
    expect(calls).toHaveLength(2);
  });
});
