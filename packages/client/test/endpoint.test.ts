import { describe, expect, test } from 'vitest';
import { resolveEndpoint } from '../src/endpoint.ts';

describe('resolveEndpoint', () => {
  test.each([
    ['http://a.test:3000/x', 'http://a.test:3000/x', 'ws://a.test:3000/x'],
    ['https://a.test/x?y=1#z', 'https://a.test/x?y=1', 'wss://a.test/x?y=1'],
    ['ws://a.test', 'http://a.test/', 'ws://a.test/'],
    ['wss://a.test/s', 'https://a.test/s', 'wss://a.test/s'],
  ])('knows both URLs of %s', (url, http, webSocket) => {
    expect(resolveEndpoint(url)).toEqual({ http, webSocket });
    expect(resolveEndpoint(new URL(url))).toEqual({ http, webSocket });
  });

  test.each(['/realtime', 'ftp://a.test', 'not a url', ''])('refuses %j outside a page', (url) => {
    expect(() => resolveEndpoint(url)).toThrow(TypeError);
  });
});
