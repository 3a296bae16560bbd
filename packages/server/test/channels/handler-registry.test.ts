import { type Contract, RunnelError, Type } from '@runnel/protocol';
import { describe, expect, it } from 'vitest';
import { contract as appContract } from '../app-contract.ts';
import { boardContract } from '../board-contract.ts';
import { Harness } from '../harness.ts';
import { turn } from '../virtual-clock.ts';

const complete = {
  publish: { message: () => {}, nudge: () => {} },
  requests: { edit: () => {}, count: () => {}, leave: () => {}, late: () => {} },
};

function refusal(pattern: string, handlers: object, contract: Contract<unknown> = appContract): string {
  try {
    new Harness({ contract }).app.handlers.add(pattern, handlers);
  } catch (error) {
    if (RunnelError.is(error) && error.code === 'contract_invalid') return error.message;
    throw error;
  }
  return 'accepted';
}

describe('handle', () => {
  it('says what to do about a pattern that nobody guards', () => {
    expect(refusal('ticker', {})).toContain('open: true');
    expect(refusal('ticker', { authorize: true })).toContain('authorize: (');
    expect(refusal('ticker', { open: false })).toContain('open by default');
    expect(refusal('ticker', { open: true })).toBe('accepted');
  });

  it('refuses a pattern that is guarded and open', () => {
    expect(refusal('ticker', { open: true, authorize: () => true })).toContain('keep one of them');
  });

  it('refuses handlers that are missing, or that handle nothing', () => {
    expect(refusal('room/:roomId', { open: true, ...complete })).toBe('accepted');
    expect(refusal('room/:roomId', { open: true, publish: complete.publish })).toContain('requests.edit');
    expect(refusal('room/:roomId', { open: true, ...complete, publish: { message: () => {} } })).toContain(
      'publish.nudge',
    );
    const relayed = { ...complete.publish, note: () => {} };
    expect(refusal('room/:roomId', { open: true, ...complete, publish: relayed })).toContain('publish.note');
    expect(refusal('ticker', { open: true, presence: () => {} })).toContain('presence');
    expect(refusal('user/:userId', { open: true })).toContain('presence handler');
    expect(refusal('ticker', { open: true, publsh: {} })).toContain('publsh');
  });

  it('wants a snapshot handler exactly where the contract declares a snapshot', () => {
    const requests = { ask: () => [], tail: () => [], find: () => '', move: () => {} };
    const board = { open: true, requests };
    expect(refusal('board/:boardId', { ...board, snapshot: () => new Date() }, boardContract)).toBe('accepted');
    expect(refusal('board/:boardId', board, boardContract)).toContain('no snapshot handler');
    expect(refusal('board/:boardId', { ...board, snapshot: 5 }, boardContract)).toContain('not a function');
    expect(refusal('ticker', { open: true, snapshot: () => 1 })).toContain('handles snapshot, which');
  });

  it('takes hooks for any pattern', () => {
    expect(refusal('ticker', { open: true, onSubscribe: () => {}, onLeave: () => {} })).toBe('accepted');
    expect(refusal('ticker', { open: true, onSubscribe: true })).toContain(
      'onSubscribe handler that is not a function',
    );
    expect(refusal('ticker', { open: true, onLeave: null })).toContain('onLeave handler that is not a function');
  });

  it('refuses a pattern that is not declared, or handled already', () => {
    expect(refusal('nowhere', { open: true })).toContain('declares no channel');
    const { handlers } = new Harness().app;
    handlers.add('ticker', { open: true });
    expect(() => handlers.add('ticker', { open: true })).toThrow('called before');
  });
});

describe('frames that come before their handlers', () => {
  it('wait for them, in order', async () => {
    const harness = new Harness();
    const ann = await harness.connect('ann', [[1, 'room/a', {}]]);
    const seen: string[] = [];
    ann.publish('room/a', 'message', { text: '1' });
    ann.publish('room/a', 'message', { text: '2' });
    const request = ann.request('room/a', 'count');
    await turn();
    expect(ann.frames).toHaveLength(1);
    harness.app.handlers.add('room/:roomId', {
      open: true,
      publish: { ...complete.publish, message: ({ data }: { data: { text: string } }) => void seen.push(data.text) },
      requests: { ...complete.requests, count: () => 3 },
    });
    expect(await ann.answer(request)).toEqual([Type.result, request, 3]);
    expect((await ann.answer(1))[0]).toBe(Type.subscribed);
    expect(seen).toEqual(['1', '2']);
    expect(harness.clock.pending).toBe(0);
  });

  it('are answered unknown_channel when they do not come in time', async () => {
    const harness = new Harness();
    const ann = await harness.connect('ann');
    const ids = [
      ann.subscribe('ticker'),
      ann.publish('room/a', 'note', 'x'),
      ann.request('room/a', 'count'),
      ann.request('room/a', '$enter', { color: 'red' }),
    ];
    await harness.clock.advance(9_999);
    expect(ids.flatMap((id) => ann.answers(id))).toEqual([]);
    await harness.clock.advance(1);
    for (const id of ids) expect(await ann.codeOf(id)).toBe('unknown_channel');
    harness.app.handlers.add('ticker', { open: true });
    expect(await ann.codeOf(ann.subscribe('ticker'))).toBeNull();
  });

  it('are bounded in number', async () => {
    const harness = new Harness();
    const ann = await harness.connect('ann');
    const bob = await harness.connect('bob');
    for (let i = 0; i < 1_000; i += 1) ann.request('room/a', 'count');
    expect(await bob.codeOf(bob.subscribe('room/a'))).toBe('unknown_channel');
  });

  it('may be taken back', async () => {
    const harness = new Harness();
    const ann = await harness.connect('ann');
    const id = ann.subscribe('ticker');
    ann.send([Type.unsubscribe, 'ticker']);
    expect(await ann.codeOf(id)).toBe('canceled');
    harness.app.handlers.add('ticker', { open: true });
    await turn();
    expect(harness.app.stats.channels).toBe(0);
  });
});
