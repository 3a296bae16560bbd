import { describe, expect, it } from 'vitest';
import { OriginPolicy } from '../src/origin.ts';

const own = new OriginPolicy({});
const listed = (...origins: string[]) => new OriginPolicy({ origins });

describe('without a list', () => {
  it.each([
    ['the same host', { origin: 'http://app.example', host: 'app.example' }, 'same'],
    ['the same host behind a proxy that ends TLS', { origin: 'https://app.example', host: 'app.example' }, 'same'],
    ['the same host and port', { origin: 'http://localhost:3000', host: 'localhost:3000' }, 'same'],
    ['a default port that only one of them names', { origin: 'https://app.example', host: 'app.example:443' }, 'same'],
    ['another case', { origin: 'https://app.example', host: 'App.Example' }, 'same'],
    ['an IPv6 address', { origin: 'http://[::1]:8080', host: '[::1]:8080' }, 'same'],
    [
      'a proxy that names the host it was asked for',
      { origin: 'https://a.example', host: 'upstream', 'x-forwarded-host': 'a.example' },
      'same',
    ],
    [
      'several proxies',
      { origin: 'https://a.example', host: 'upstream', 'x-forwarded-host': 'a.example, inner' },
      'same',
    ],
    [
      'a proxy that hides the host, and a browser that knows',
      { origin: 'https://a.example', host: 'upstream', 'sec-fetch-site': 'same-origin' },
      'same',
    ],
    ['HTTP/2', { origin: 'https://a.example', ':authority': 'a.example' }, 'same'],
    ['no origin', { host: 'app.example' }, 'absent'],
    ['no origin, typed into the address bar', { host: 'app.example', 'sec-fetch-site': 'none' }, 'absent'],
    ['another host', { origin: 'https://evil.example', host: 'app.example' }, 'refused'],
    ['another port', { origin: 'http://localhost:3001', host: 'localhost:3000' }, 'refused'],
    ['another port by default', { origin: 'https://app.example:8443', host: 'app.example' }, 'refused'],
    ['a host that only begins alike', { origin: 'https://app.example.evil', host: 'app.example' }, 'refused'],
    [
      'a subdomain',
      { origin: 'https://evil.app.example', host: 'app.example', 'sec-fetch-site': 'same-site' },
      'refused',
    ],
    ['null', { origin: 'null', host: 'app.example' }, 'refused'],
    ['null, though the host is called so', { origin: 'null', host: 'null' }, 'refused'],
    ['null of a sandboxed page of our own', { origin: 'null', host: 'a', 'sec-fetch-site': 'same-origin' }, 'refused'],
    ['file://', { origin: 'file://', host: 'app.example' }, 'refused'],
    ['capacitor://localhost', { origin: 'capacitor://localhost', host: 'localhost' }, 'refused'],
    ['what is no origin', { origin: 'http://', host: '' }, 'refused'],
    ['an origin that was taken away', { host: 'app.example', 'sec-fetch-site': 'cross-site' }, 'refused'],
    ['no host', { origin: 'https://app.example' }, 'refused'],
  ])('judges %s', (_what, headers, verdict) => {
    expect(own.judge(headers)).toBe(verdict);
  });
});

it.each(['null', 'file://', 'capacitor://localhost', 'ionic://localhost', 'https://app.example'])(
  'lists %s by name',
  (origin) => {
    expect(listed(origin).judge({ origin, host: 'other' })).toBe('listed');
    expect(listed('https://elsewhere.example').judge({ origin, host: 'other' })).toBe('refused');
  },
);

it('forgives a slash and capitals in the list, and nothing else', () => {
  expect(listed('https://App.example/').judge({ origin: 'https://app.example' })).toBe('listed');
  expect(listed('https://app.example').judge({ origin: 'http://app.example' })).toBe('refused');
  expect(listed('https://app.example').judge({ origin: 'https://app.example.evil' })).toBe('refused');
});

it('asks a function', () => {
  const policy = new OriginPolicy({ origins: (origin) => origin.endsWith('.example') });
  expect(policy.judge({ origin: 'https://a.example' })).toBe('listed');
  expect(policy.judge({ origin: 'https://a.test' })).toBe('refused');
});

it('lets cookies along unless told otherwise', () => {
  expect(own.corsHeaders('https://a.example')).toContain('Access-Control-Allow-Credentials');
  const without = new OriginPolicy({ credentials: false });
  expect(without.corsHeaders('https://a.example')).not.toContain('Access-Control-Allow-Credentials');
});
