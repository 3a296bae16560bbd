import { RunnelError } from '@runnel/protocol';
import { describe, expect, test } from 'vitest';
import { type LegacyAnswer, streamAnswer } from '../../src/legacy/streamed-answer.ts';
import type { StreamedCall } from '../../src/shared-channels.ts';

/** An answer, and the server's side of it. */
function begin(ahead?: number): { answer: LegacyAnswer<unknown, unknown>; call: StreamedCall; log: string[] } {
  const log: string[] = [];
  let call: StreamedCall | undefined;
  const answer = streamAnswer(ahead, (given) => {
    call = given;
    return {
      allow: (parts) => log.push(`allow ${parts}`),
      cancel: () => {
        log.push('cancel');
        given.settle(new RunnelError('canceled', 'It was canceled.'));
      },
    };
  });
  return { answer, call: call as StreamedCall, log };
}

describe('A streamed answer by callbacks', () => {
  test('gives each part, those that have come before too, and then the end', async () => {
    const { answer, call } = begin();
    const parts: unknown[] = [];
    call.onPart(1);
    const output = answer.each((part) => parts.push(part));
    expect(parts).toEqual([1]);
    call.onPart(2);
    call.settle(null, 'end');
    expect([await output, parts]).toEqual(['end', [1, 2]]);
  });

  test('allows more as parts are handled, in halves, until it is over', () => {
    const { answer, call, log } = begin(4);
    expect(call.credit).toBe(4);
    for (const part of [1, 2, 3]) call.onPart(part);
    expect(log).toEqual([]);
    answer.each(() => {});
    expect(log).toEqual(['allow 2']);
    call.onPart(4);
    call.settle(null);
    expect(log).toEqual(['allow 2', 'allow 2']);
  });

  test('allows nothing more once it is over, whatever was not handled then', async () => {
    const { answer, call, log } = begin(2);
    const parts: unknown[] = [];
    call.onPart(1);
    call.onPart(2);
    call.settle(null, 'end');
    expect([await answer.each((part) => parts.push(part)), parts, log]).toEqual(['end', [1, 2], []]);
  });

  test('is given up where the handler throws, with what it throws', async () => {
    const { answer, call, log } = begin();
    const parts: unknown[] = [];
    const output = answer.each((part) => {
      parts.push(part);
      throw new Error(`not ${part}`);
    });
    call.onPart(1);
    call.onPart(2);
    await expect(output).rejects.toThrow('not 1');
    expect([log, parts]).toEqual([['cancel'], [1]]);
  });

  test('can be canceled', async () => {
    const { answer, log } = begin();
    const output = answer.each(() => {});
    answer.cancel();
    await expect(output).rejects.toMatchObject({ code: 'canceled' });
    expect(log).toEqual(['cancel']);
  });

  test('fails where more parts come than were allowed', async () => {
    const { answer, call, log } = begin(1);
    call.onPart(1);
    call.onPart(2);
    await expect(answer.each(() => {})).rejects.toMatchObject({ code: 'protocol_error' });
    expect(log[0]).toBe('cancel');
  });

  test('rejects where it cannot be asked, and throws for an `ahead` that cannot be', async () => {
    const refused = streamAnswer(1, () => {
      throw new RunnelError('canceled', 'It was canceled before.');
    });
    await expect(refused.each(() => {})).rejects.toMatchObject({ code: 'canceled' });
    for (const ahead of [0, 1.5, 1_025]) expect(() => begin(ahead)).toThrow(RangeError);
  });
});
