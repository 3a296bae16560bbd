/** The demo on a network that is broken while somebody chats: what its page shows of that, and that nothing is lost. */
import { join } from 'node:path';
import { type Demo, startDemo } from '@runnel/demo';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Browser, openBrowser, screenshots } from './browser.ts';
import { DemoPage } from './demo-page.ts';

let browser: Browser;
let demo: Demo;
let ann: DemoPage;
let ben: DemoPage;

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  demo = await startDemo({ port: 0 });
  ann = new DemoPage(await browser.open(demo.url));
  ben = new DemoPage(await browser.open(demo.url));
  await ann.connected('websocket');
  await ben.connected('websocket');
});
afterEach(async () => {
  await ann.page.close();
  await ben.page.close();
  await demo.close();
});

const lines = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}.`);

async function said(by: DemoPage, texts: readonly string[]): Promise<void> {
  for (const text of texts) await by.say(text);
}

/** Everything that `by` has said, as another page shows it. */
async function seenBy(page: DemoPage): Promise<string[]> {
  const texts = await page.messages('line ');
  return texts.map((text) => /line \d+\./.exec(text)?.[0] ?? text);
}

test('without WebSocket for a while the chat goes on over a stream, and the page says why', async () => {
  await ann.breakNetwork('no-websocket', 3);
  await ann.connected('stream');
  await said(ben, lines(1, 4));
  await ann.says('Connected over a stream; WebSocket is blocked on this path');
  await ann.page.screenshot({ path: join(screenshots, 'network-no-websocket.png') });
  const finding = ann.part('findings').locator('[data-finding="websocket-blocked"]');
  await finding.locator('summary').click();
  await finding.getByText('proxy_set_header Upgrade $http_upgrade').first().waitFor();
  await ben.says(/^Connected over WebSocket$/);
  await said(ben, lines(5, 8));
  await ann.connected('websocket');
  await said(ben, lines(9, 12));
  await ann.sees('line 12.');
  expect(await seenBy(ann)).toEqual(lines(1, 12));
  const told = await ann.tells(/^Block WebSocket: .*back on WebSocket after/);
  expect(told).toMatch(/no message was lost: \d+ received, in order/);
  await ann.says(/^Connected over WebSocket$/);
});

test('a change of networks is found out and told', async () => {
  await ann.breakNetwork('changed', 3);
  await said(ben, lines(1, 6));
  const told = await ann.tells(/back on WebSocket after/);
  expect(told).toMatch(
    /^Change networks: WebSocket went silent, polling took over after [\d.]+ m?s, back on WebSocket after [\d.]+ s; no message was lost: \d+ received, in order$/,
  );
  await ann.sees('line 6.');
  expect(await seenBy(ann)).toEqual(lines(1, 6));
});

test('a captive portal is called by its name, and what was typed behind it arrives', async () => {
  await ann.breakNetwork('captive', 3);
  await ann.says(/^Not connected: somebody else answers in the server's place, for instance a captive portal$/);
  await ann.part('findings').locator('[data-finding="poll-intercepted"]').waitFor();
  await said(ann, lines(1, 3));
  await said(ben, lines(4, 6));
  await ann.connected('websocket');
  await ben.sees('line 3.');
  await ann.sees('line 6.');
  expect((await seenBy(ann)).sort()).toEqual(lines(1, 6));
  expect((await seenBy(ben)).sort()).toEqual(lines(1, 6));
  expect(await ann.tells(/^Captive portal: .*no message was lost/)).toContain('WebSocket was cut');
});

test('where nothing gets through the page says so, and mending it brings all back', async () => {
  await ann.breakNetwork('blocked', 60);
  await ann.says(/^Not connected: the server cannot be reached$/);
  await ann.page.screenshot({ path: join(screenshots, 'network-blocked.png') });
  expect(await ann.part('verdict').getAttribute('data-health')).toBe('down');
  await said(ben, lines(1, 3));
  await ann.part('trouble-mend').click();
  await ann.connected('websocket');
  await ann.sees('line 3.');
  expect(await seenBy(ann)).toEqual(lines(1, 3));
  await ann.tells(/^Block everything: .*no message was lost/);
});

test('the report that is copied has the verdict, the findings and the attempts', async () => {
  await ann.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await ann.breakNetwork('held', 20);
  await ann.says('Connected by polling; WebSocket is blocked on this path');
  await ann.part('copy-report').click();
  await ann.part('copy-report').filter({ hasText: 'Copied' }).waitFor();
  const report = await ann.page.evaluate(() => navigator.clipboard.readText());
  expect(report).toContain('Connected by polling; WebSocket is blocked on this path');
  expect(report).toContain('proxy_set_header Upgrade');
  expect(report).toMatch(/\d\d:\d\d:\d\dZ {2}websocket {2}open {4}failed/);
});
