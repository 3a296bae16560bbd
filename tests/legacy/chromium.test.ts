/** The file for old browsers in Chromium, from which the amenities that old browsers lack were taken: one by one, and all at once. */
import { afterAll, beforeAll, describe, inject, test } from 'vitest';
import { type Browser, openBrowser } from '../e2e/browser.ts';
import { globals, methods } from './amenities.ts';
import { Encounter, type OpenPage } from './encounter.ts';
import { Site } from './site.ts';

let site: Site;
let browser: Browser;

beforeAll(async () => {
  site = await Site.start(inject('legacyCode'));
  browser = await openBrowser();
});
afterAll(async () => {
  await browser.close();
  await site.close();
});

const open: OpenPage = async (url, line) => {
  const page = await browser.open('about:blank');
  page.on('console', (message) => line(message.text()));
  // Playwright's own `evaluate` runs code in the page that may need what was taken from it.
  const devtools = await page.context().newCDPSession(page);
  await page.goto(url);
  return {
    run: async (script) => {
      await devtools.send('Runtime.evaluate', { expression: script });
    },
    close: () => page.close(),
  };
};

describe('Chromium talks', () => {
  test.each(globals)('without %s', async (name) => {
    const encounter = await Encounter.begin({ site, open, without: [name] });
    await encounter.carriedBy(name === 'WebSocket' ? 'stream' : 'websocket');
    await encounter.talk(1, 3);
    await encounter.ask();
    encounter.expectPeace();
  });

  test('without any of the methods that came after ECMAScript 5', async () => {
    const encounter = await Encounter.begin({ site, open, without: methods });
    await encounter.everything('websocket');
  });

  test.each([
    ['stream', undefined],
    ['stream', ['stream']],
    ['poll', ['poll']],
  ])('without all of it, by %s, of %j', async (transport, transports) => {
    const encounter = await Encounter.begin({ site, open, transports, without: [...globals, ...methods] });
    await encounter.everything(transport);
  });
});

test('Chromium changes to another answer when one has become long', async () => {
  const encounter = await Encounter.begin({ site, open, transports: ['stream', 'poll'], without: [] });
  await encounter.carriedBy('stream');
  await encounter.flood();
  encounter.expectPeace();
});
