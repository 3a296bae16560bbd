/** Ten tabs of one browser over HTTP/1.1 where no WebSocket gets through: with one session for all, in a tab or in a worker, and with one each. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { condition } from '../support/condition.ts';
import { type Browser, openBrowser, type Tabs } from './browser.ts';
import { startTabsServer, type TabsServer } from './shared-tabs/server.ts';

const TABS = 10;
/** How long the first message may take after the last tab was opened, ms. */
const FIRST_MS_MAX = 500;
/** How long a request of the page itself may wait for a connection, ms. */
const PING_MS_MAX = 2_000;

let browser: Browser;
let server: TabsServer;
let tabs: Tabs;

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  server = await startTabsServer();
  tabs = await browser.openTabs();
  await server.realtime.channel('news').broadcast('item', 'old news');
});
afterEach(async () => {
  await tabs.close();
  await server.close();
});

async function openAll(share: string): Promise<Page[]> {
  const pages: Page[] = [];
  for (let i = 0; i < TABS; i += 1) pages.push(await tabs.open(`${server.url}?share=${share}`));
  return pages;
}

const ticksOf = (page: Page): Promise<number[]> => page.evaluate(() => window.tab.ticks);
const hostOf = (page: Page): Promise<string | null | undefined> =>
  page.evaluate(() => window.tab.client.diagnose().sharing?.host);
const isReady = (page: Page): Promise<unknown> => page.evaluate(() => window.tab.client.channel('live').ready());
const hasItem = (page: Page): Promise<unknown> => page.waitForFunction(() => window.tab.items.length > 0);

/** How long a request of the page itself takes, ms. */
const ping = (page: Page): Promise<number> =>
  page.evaluate(async () => {
    const askedAt = performance.now();
    await (await fetch('/ping', { cache: 'no-store' })).text();
    return performance.now() - askedAt;
  });

const say = (page: Page, from: string, n: number): Promise<unknown> =>
  page.evaluate((data) => window.tab.client.channel('live').publish('say', data), { from, n });

describe.each(['tab', 'worker'])('ten tabs with one session, in a %s', (share) => {
  test('have their first message at once, everything once, and leave the page its connections', async () => {
    const pages = await openAll(share);
    const openedAt = Date.now();
    await Promise.all(pages.map(hasItem));
    const first = await Promise.all(pages.map((page) => page.evaluate(() => window.tab.firstAt)));
    expect(Math.max(...first) - openedAt).toBeLessThan(FIRST_MS_MAX);
    await Promise.all(pages.map(isReady));
    for (let n = 0; n < 30; n += 1) await server.realtime.channel('live').broadcast('tick', n);
    await Promise.all(pages.flatMap((page, i) => [0, 1, 2].map((n) => say(page, `tab ${i}`, n))));
    const numbers = Array.from({ length: 30 }, (_, n) => n);
    for (const page of pages) {
      await page.waitForFunction(() => window.tab.ticks.length >= 30);
      expect(await ticksOf(page)).toEqual(numbers);
    }
    expect([...server.said].sort()).toEqual(pages.flatMap((_, i) => [0, 1, 2].map((n) => `tab ${i} ${n}`)).sort());
    for (const ms of await Promise.all(pages.map(ping))) expect(ms).toBeLessThan(PING_MS_MAX);
    expect(server.realtime.stats().sessions).toBe(1);
    expect(server.realtime.stats().transports.websocket).toBe(0);
    expect(server.sessions).toHaveLength(1);
    expect(await Promise.all(pages.map(hostOf))).toEqual(
      share === 'worker' ? pages.map(() => 'worker') : pages.map((_, i) => (i === 0 ? 'this tab' : 'another tab')),
    );
  });
});

test.each([
  ['closed', (page: Page) => page.close({ runBeforeUnload: true })],
  ['left for another page', (page: Page) => page.goto('about:blank')],
])('a tab that has the session and is %s loses nothing', async (_how, end) => {
  const pages = await openAll('tab');
  await Promise.all(pages.map(isReady));
  const live = server.realtime.channel('live');
  let sent = 0;
  let said = 0;
  const last = pages.at(-1) as Page;
  let left: readonly Page[] = pages;
  for (let ends = 0; ends < 4; ends += 1) {
    const hosts = await Promise.all(left.map(hostOf));
    const host = left[hosts.indexOf('this tab')] as Page;
    left = left.filter((page) => page !== host);
    expect(host).not.toBe(last);
    const publishes: Promise<unknown>[] = [];
    for (let n = 0; n < 5; n += 1) {
      await live.broadcast('tick', sent++);
      publishes.push(say(last, 'last', said++));
    }
    const ended = end(host);
    for (let n = 0; n < 5; n += 1) {
      await live.broadcast('tick', sent++);
      publishes.push(say(last, 'last', said++));
    }
    await Promise.all([ended, ...publishes]);
    await condition('another tab has the session', async () =>
      (await Promise.all(left.map(hostOf))).includes('this tab'),
    );
  }
  await last.waitForFunction((count) => window.tab.ticks.length >= count, sent);
  expect(await ticksOf(last)).toEqual(Array.from({ length: sent }, (_, n) => n));
  expect(await last.evaluate(() => window.tab.gaps)).toEqual([]);
  expect(server.said).toEqual(Array.from({ length: said }, (_, n) => `last ${n}`));
  expect(server.sessions).toHaveLength(1);
});

test('ten tabs with a session each leave the page its connections', async () => {
  const pages = await openAll('none');
  await Promise.all(pages.map(hasItem));
  await Promise.all(pages.map(isReady));
  expect(server.realtime.stats().sessions).toBe(TABS);
  expect(server.realtime.stats().transports.websocket).toBe(0);
  for (let round = 0; round < 3; round += 1) {
    for (const ms of await Promise.all(pages.map(ping))) expect(ms).toBeLessThan(PING_MS_MAX);
    await server.realtime.channel('live').broadcast('tick', round);
  }
  for (const page of pages) {
    await page.waitForFunction(() => window.tab.ticks.length >= 3);
    expect(await ticksOf(page)).toEqual([0, 1, 2]);
  }
});
