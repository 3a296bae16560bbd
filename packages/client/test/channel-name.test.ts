import { formatChannel } from '@runnel/protocol';
import { describe, expect, test } from 'vitest';
import { channelName } from '../src/channel-name.ts';

describe('channelName', () => {
  const cases: [pattern: string, params: Record<string, string>][] = [
    ['ticker', {}],
    ['room/:roomId', { roomId: 'lobby' }],
    ['a/:x/b/:y_2', { x: 'a/b:c', y_2: 'é 🌊 %' }],
    ['room/:roomId', { roomId: ':roomId' }],
    ['room/:roomId', { roomId: 'x'.repeat(251) }],
  ];
  test.each(cases)('is what the protocol makes of %s and %o', (pattern, params) => {
    expect(channelName(pattern, params)).toBe(formatChannel(pattern, params as never));
  });

  const refused: [pattern: string, params: Record<string, unknown>][] = [
    ['room/:roomId', {}],
    ['room/:roomId', { roomId: '' }],
    ['room/:roomId', { roomId: 7 }],
    ['room/:constructor', {}],
    ['room/:roomId', { roomId: '\ud800' }],
    ['room/:roomId', { roomId: 'x'.repeat(252) }],
  ];
  test.each(refused)('refuses what the protocol refuses: %s and %o', (pattern, params) => {
    const error = expect.objectContaining({ code: 'channel_invalid' });
    expect(() => channelName(pattern, params)).toThrow(error);
    expect(() => formatChannel(pattern, params as never)).toThrow(error);
  });
});
