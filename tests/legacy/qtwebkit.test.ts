/** The file for old browsers in another engine: that of Safari 10 (2016), as it is and without what it has beyond ECMAScript 5. */
import { afterAll, beforeAll, describe, inject, test } from 'vitest';
import { globals, methods } from './amenities.ts';
import { Encounter } from './encounter.ts';
import { openQtWebKit } from './qtwebkit.ts';
import { Site } from './site.ts';

let site: Site;

beforeAll(async () => {
  site = await Site.start(inject('legacyCode'));
});
afterAll(() => site.close());

const begin = (transports: readonly string[] | undefined, without: readonly string[]): Promise<Encounter> =>
  Encounter.begin({ site, open: openQtWebKit, transports, without });

describe.each([
  ['websocket', ['websocket']],
  ['stream', ['stream', 'poll']],
  ['poll', ['poll']],
  ['websocket', undefined],
])('QtWebKit, carried by %s, of %j', (transport, transports) => {
  test('talks through a cut and a restart', async () => {
    const encounter = await begin(transports, []);
    await encounter.everything(transport);
  });
});

describe('QtWebKit without anything that came after ECMAScript 5', () => {
  test.each([
    ['websocket', globals.filter((name) => name !== 'WebSocket')],
    ['stream', globals],
  ])('talks by %s', async (transport, missing) => {
    const encounter = await begin(undefined, [...missing, ...methods]);
    await encounter.everything(transport);
  });
});

test('QtWebKit changes to another answer when one has become long', async () => {
  const encounter = await begin(['stream', 'poll'], []);
  await encounter.carriedBy('stream');
  await encounter.flood();
  encounter.expectPeace();
});
