/** Ten tabs of one app where only HTTP/1.1 gets through: a browser opens six connections to a server, and the app needs some of them for itself. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Middlebox } from '../gauntlet/intermediaries/middlebox.ts';
import { BrowserFixture } from './browser-fixture.ts';
import { chromium, type Profile } from './drivers/chromium.ts';
import { RecorderServer } from './recorder/recorder-server.ts';
import { RecorderTab } from './recorder/recorder-tab.ts';
import { WITHOUT_WEBSOCKET } from './scenarios/interruptions.ts';

const TABS = 10;
/** How long a request of the app may wait for a connection, ms. */
const PING_MS_MAX = 2_000;

const fixture = new BrowserFixture(chromium);
let server: RecorderServer;
let between: Middlebox;
let profile: Profile;

beforeEach(async () => {
  server = await RecorderServer.start();
  between = await Middlebox.start(server.port, WITHOUT_WEBSOCKET);
  profile = await fixture.browser.openProfile();
});
afterEach(async () => {
  await profile.close();
  await between.stop();
  await server.close();
});

/** How long a request of the app itself takes; rejects when that is too long. */
function ping(tab: RecorderTab): Promise<number> {
  return tab.page.evaluate(async (patienceMs) => {
    const askedAt = performance.now();
    const response = await fetch('/ping', { cache: 'no-store', signal: AbortSignal.timeout(patienceMs) });
    await response.text();
    return performance.now() - askedAt;
  }, PING_MS_MAX);
}

// A stream that was asked for alone needs a connection, whoever else does: the guide says so.
test.each(['poll', 'auto'] as const)('ten tabs over %s leave the app its connections', async (name) => {
  const tabs: RecorderTab[] = [];
  for (let i = 0; i < TABS; i += 1) {
    const page = await profile.open(`http://127.0.0.1:${between.port}/?tab=${name}`);
    tabs.push(new RecorderTab(fixture.keep(page)));
  }
  for (const tab of tabs) await tab.until('a subscription', ({ subscribed }) => subscribed);
  await Promise.all(tabs.map(ping));
  await server.send(3);
  await Promise.all(tabs.map((tab) => tab.say(2)));
  await Promise.all(tabs.map(ping));
  for (const tab of tabs) {
    const { numbers, sessions } = await tab.has(3);
    expect(numbers).toEqual(server.sent);
    expect(sessions).toHaveLength(1);
  }
  expect([...(server.numbers.get(name) ?? [])].sort()).toEqual([...Array(TABS).fill(0), ...Array(TABS).fill(1)]);
  expect(server.begun).toHaveLength(TABS);
});
