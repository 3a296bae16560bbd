import { RunnelError } from '@runnel/protocol';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { eventId, readEventId, readEventQuery } from '../../src/transports/event-query.ts';

const read = (query: string, headers: Record<string, string> = {}) =>
  readEventQuery(`/realtime/events${query}`, headers);

/** What it throws. */
function refusal(run: () => unknown): string {
  try {
    return `nothing, but gives ${JSON.stringify(run())}`;
  } catch (error) {
    return RunnelError.is(error) ? error.code : String(error);
  }
}

it.each([
  ['a channel alone', '?channel=room/lobby', { channel: 'room/lobby', from: {} }],
  ['an encoded name', '?channel=room%2Fcaf%25C3%25A9', { channel: 'room/caf%C3%A9', from: {} }],
  ['a rewind', '?channel=a&rewind=50', { channel: 'a', from: { rewind: 50 } }],
  ['a position', '?channel=a&lastEventId=e-1-7', { channel: 'a', from: { since: { epoch: 'e-1', offset: 7 } } }],
  [
    'a position rather than a rewind',
    '?rewind=50&channel=a&lastEventId=e-7',
    { channel: 'a', from: { since: { epoch: 'e', offset: 7 } } },
  ],
  ['no position', '?channel=a&lastEventId=', { channel: 'a', from: {} }],
  ['what is the app’s', '?token=t&channel=a&x', { channel: 'a', from: {} }],
])('reads %s', (_what, query, wanted) => {
  expect(read(query)).toEqual(wanted);
});

it('prefers the position of the header, which is newer', () => {
  const query = '?channel=a&lastEventId=e-7';
  expect(read(query, { 'last-event-id': 'e-9' }).from).toEqual({ since: { epoch: 'e', offset: 9 } });
  expect(read(query, { 'last-event-id': '' }).from).toEqual({ since: { epoch: 'e', offset: 7 } });
});

it.each([
  ['no query', '', 'channel_invalid'],
  ['no channel', '?rewind=5', 'channel_invalid'],
  ['an empty channel', '?channel=', 'channel_invalid'],
  ['a channel that is too long', `?channel=${'a'.repeat(257)}`, 'channel_invalid'],
  ['an empty rewind', '?channel=a&rewind=', 'protocol_error'],
  ['a negative rewind', '?channel=a&rewind=-1', 'protocol_error'],
  ['a rewind in words', '?channel=a&rewind=all', 'protocol_error'],
  ['a rewind without bounds', '?channel=a&rewind=9999999999999999', 'protocol_error'],
  ['an id without an offset', '?channel=a&lastEventId=e', 'protocol_error'],
  ['an id with half an offset', '?channel=a&lastEventId=e-', 'protocol_error'],
  ['an id with a broken epoch', '?channel=a&lastEventId=%25E0%25A4-7', 'protocol_error'],
  ['an id with a line in it', '?channel=a&lastEventId=e%250A-7', 'protocol_error'],
  ['an id that is too long', `?channel=a&lastEventId=${'e'.repeat(65)}-7`, 'protocol_error'],
])('refuses %s', (_what, query, code) => {
  expect(refusal(() => read(query))).toBe(code);
});

it('gives each position an id that comes back as that position, from any reader', () => {
  const epoch = fc
    .string({
      unit: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 1 }), fc.constantFrom('-', '%', ' ')),
      maxLength: 30,
    })
    .filter((text) => text.length <= 64 && !/[\p{Cc}\p{Cs}]/u.test(text));
  fc.assert(
    fc.property(epoch, fc.maxSafeNat(), (name, offset) => {
      const id = eventId({ epoch: name, offset });
      // What a header takes, and a line of an event stream.
      expect(id).toMatch(/^[\x21-\x7e]+$/);
      expect(readEventId(id)).toEqual({ epoch: name, offset });
    }),
  );
});

it('throws nothing but refusals, whatever is asked', () => {
  const query = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.webQueryParameters(),
    fc
      .record({ channel: fc.string(), rewind: fc.string(), lastEventId: fc.string() })
      .map((all) => `${new URLSearchParams(all)}`),
    fc.string().map((id) => `channel=a&lastEventId=${id}`),
  );
  fc.assert(
    fc.property(query, fc.option(fc.string({ unit: 'binary' })), (asked, id) => {
      try {
        const { channel, from } = read(`?${asked}`, id === null ? {} : { 'last-event-id': id });
        expect(channel.length).toBeGreaterThan(0);
        expect(Number.isSafeInteger(from.since?.offset ?? from.rewind ?? 0)).toBe(true);
      } catch (error) {
        expect(RunnelError.is(error) && ['channel_invalid', 'protocol_error'].includes(error.code)).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});
