/** The demo in Chromium: what its users see of Runnel's promises. */
import { join } from 'node:path';
import { type Demo, startDemo } from '@runnel/demo';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Browser, openBrowser, screenshots } from './browser.ts';
import { DemoPage, type TransportName } from './demo-page.ts';

const TRANSPORTS: readonly TransportName[] = ['websocket', 'stream', 'poll'];

let browser: Browser;
let demo: Demo;

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  demo = await startDemo({ port: 0 });
});
afterEach(() => demo.close());

async function open(query = ''): Promise<DemoPage> {
  return new DemoPage(await browser.open(`${demo.url}/${query}`));
}

/** The numbers that follow `mark` in the messages that a page shows. */
async function numbersOf(page: DemoPage, mark: string): Promise<number[]> {
  const texts = await page.messages(mark);
  return texts.map((text) => Number(new RegExp(`${mark}(\\d+)`).exec(text)?.[1]));
}

const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('two pages', () => {
  for (const [first, second] of TRANSPORTS.flatMap((a) => TRANSPORTS.map((b) => [a, b] as const))) {
    test(`chat over ${first} and ${second}`, async () => {
      const ann = await open(`?transport=${first}`);
      const ben = await open(`?transport=${second}`);
      await ann.connected(first);
      await ben.connected(second);
      await ann.say('Hello, is this getting through?');
      await ben.sees('Hello, is this getting through?');
      await ben.say('Every word.');
      await ann.sees('Every word.');
      await ann.sees('Hello, is this getting through?');
      await ann.page.close();
      await ben.page.close();
    });
  }

  test('see each other, and an alert reaches both', async () => {
    const ann = await open();
    const ben = await open();
    await ann.connected();
    await ben.connected();
    await ann.rename('Ann Lovelace');
    await ben.part('presence').getByText('Ann Lovelace').waitFor();
    await ann.part('alert-text').fill('The river is rising');
    await ann.part('alert-severity').selectOption('critical');
    await ann.part('alert-send').click();
    await ben.part('alert').filter({ hasText: 'The river is rising' }).first().waitFor();
    await ann.part('alert').filter({ hasText: 'The river is rising' }).first().waitFor();
    await ben.page.screenshot({ path: join(screenshots, 'alert.png') });
  });

  test('go on while one of them switches through all transports', async () => {
    const ann = await open();
    const ben = await open();
    await ann.connected('websocket');
    await ben.connected('websocket');
    let said = 0;
    for (const transport of ['poll', 'stream', 'websocket', 'stream', 'poll', 'auto'] as const) {
      await ann.use(transport);
      for (let i = 0; i < 5; i += 1) {
        said += 1;
        await (said % 2 === 0 ? ann : ben).say(`number ${said}`);
      }
      await ann.connected(transport === 'auto' ? 'websocket' : transport);
      // Two people type at once: only what each of them said has an order.
      await ann.sees(`number ${said}`);
      await ben.sees(`number ${said}`);
    }
    for (const page of [ann, ben]) {
      await page
        .part('message')
        .nth(said - 1)
        .waitFor();
      const seen = await numbersOf(page, 'number ');
      expect(sorted(seen)).toEqual(upTo(said));
      for (const parity of [0, 1]) {
        const ofOne = seen.filter((n) => n % 2 === parity);
        expect(ofOne).toEqual(sorted(ofOne));
      }
    }
    await ann.page.screenshot({ path: join(screenshots, 'switched.png') });
  });
});

test('a link that is cut mid-conversation loses nothing', async () => {
  const ann = await open();
  const ben = await open();
  await ann.connected('websocket');
  await ben.connected();
  for (const n of upTo(12)) {
    if (n % 4 === 0) await ann.part('cut').click();
    await ben.say(`line ${n}`);
  }
  await ann.sees('line 12');
  expect(await numbersOf(ann, 'line ')).toEqual(upTo(12));
});

test('a server that is restarted mid-conversation is found again, and what was typed meanwhile arrives', async () => {
  const ann = await open();
  const ben = await open();
  await ann.connected();
  await ben.connected();
  await ann.say('before the restart');
  await ben.sees('before the restart');
  const { port } = demo;
  await demo.close();
  await ann.say('typed while nobody listens');
  demo = await startDemo({ port });
  await ben.sees('typed while nobody listens');
  await ben.say('after the restart');
  await ann.sees('after the restart');
  await ann.connected('websocket');
});

test('a flow test with switches and cuts shows nothing lost, repeated or out of order', async () => {
  const page = await open();
  await page.connected();
  await page.part('flow-start').click();
  const result = page.part('flow-result');
  const over = page.page.locator('[data-testid="flow-result"]:is([data-state="passed"], [data-state="failed"])');
  await over.waitFor({ timeout: 50_000 });
  await page.page.screenshot({ path: join(screenshots, 'flow.png') });
  expect(await result.getAttribute('data-state'), (await result.textContent()) ?? '').toBe('passed');
});
