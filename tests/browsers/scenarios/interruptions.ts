/** What stands between page and server cuts, blocks or answers by itself: the chat goes on. */
import { type Demo, startDemo } from '@runnel/demo';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Interference, Middlebox } from '../../gauntlet/intermediaries/middlebox.ts';
import type { BrowserFixture } from '../browser-fixture.ts';
import { DemoTab } from '../demo-tab.ts';
import { eventually } from '../eventually.ts';
import { numbered } from './chat.ts';

/** Refuses WebSockets as a proxy does that knows none. */
export const WITHOUT_WEBSOCKET: Interference = {
  up: (bytes, passage) => {
    if (passage.isWebSocket)
      passage.answer('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
    return bytes;
  },
};

const SIGN_IN = '<!doctype html><title>Welcome</title><p>Please sign in to our network.';
/** Answers whatever is asked with a page of its own. */
const CAPTIVE_PORTAL: Interference = {
  up: (bytes, passage) => {
    const head = `content-type: text/html\r\ncontent-length: ${SIGN_IN.length}\r\nconnection: close`;
    passage.answer(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${SIGN_IN}`);
    return bytes;
  },
};

const cutAll = (between: Middlebox): void => {
  for (const passage of [...between.passages]) passage.cut();
};

export function interruptionScenarios(fixture: BrowserFixture): void {
  let demo: Demo;
  /** On the way of Ann's page; Ben's goes straight to the server. */
  let between: Middlebox;
  beforeEach(async () => {
    demo = await startDemo({ port: 0 });
    between = await Middlebox.start(demo.port);
  });
  afterEach(async () => {
    await between.stop();
    await demo.close();
  });
  const openAnn = (query = ''): Promise<DemoTab> => DemoTab.open(fixture, `http://127.0.0.1:${between.port}/${query}`);
  const openBen = (): Promise<DemoTab> => DemoTab.open(fixture, `${demo.url}/`);

  test.each(['websocket', 'stream', 'poll'] as const)('cuts of all connections lose nothing over %s', async (name) => {
    const [ann, ben] = [await openAnn(`?transport=${name}`), await openBen()];
    await ann.connected(name);
    await ben.connected();
    for (let n = 1; n <= 12; n += 1) {
      const cut = n % 4 === 0;
      if (cut) for (const passage of between.passages) passage.silent = true;
      await ben.say(`ben ${n}`);
      await ann.say(`ann ${n}`);
      // What Ann has said is lost with her connections, and so is what Ben sees and the server has sent her.
      await ben.sees(`ben ${n}`);
      if (cut) cutAll(between);
    }
    for (const tab of [ann, ben]) {
      await tab.sees(...numbered('ann', 12), ...numbered('ben', 12));
      expect(await tab.messages('ann ')).toEqual(numbered('ann', 12));
      expect(await tab.messages('ben ')).toEqual(numbered('ben', 12));
    }
    await ann.connected(name);
  });

  test('where WebSockets are refused, the chat works over HTTP from the first message', async () => {
    between.interference = WITHOUT_WEBSOCKET;
    const ben = await openBen();
    await ben.connected();
    const ann = await openAnn();
    await ann.say('ann 1');
    await ben.sees('ann 1');
    await ben.say('ben 1');
    await ann.sees('ann 1', 'ben 1');
    await ann.connected('stream');
    await ann.say('ann 2');
    await ben.sees('ann 2');
    expect(await ann.messages('')).toEqual(['ann 1', 'ben 1', 'ann 2']);
  });

  test('behind a captive portal the page waits, and then gets and sends everything', async () => {
    const [ann, ben] = [await openAnn(), await openBen()];
    await ann.connected('websocket');
    await ben.connected();
    between.interference = CAPTIVE_PORTAL;
    cutAll(between);
    await ben.say('ben 1');
    await ann.say('ann 1');
    await eventually(
      'Ann to be offline',
      () => ann.connection(),
      ({ state }) => state === 'reconnecting',
    );
    between.interference = {};
    await ann.sees('ann 1', 'ben 1');
    await ben.sees('ann 1', 'ben 1');
    await ann.connected('websocket');
    expect(await ann.messages('ann ')).toEqual(['ann 1']);
    expect(await ben.messages('')).toEqual(['ben 1', 'ann 1']);
  });
}
