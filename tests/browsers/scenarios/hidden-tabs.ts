/** Tabs that nobody looks at, as Chromium treats them: their timers run once a minute, or not at all. */
import { afterEach, expect, test } from 'vitest';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import type { BrowserFixture } from '../browser-fixture.ts';
import type { ChromiumBrowser, ChromiumPage } from '../drivers/chromium.ts';
import { eventually } from '../eventually.ts';
import { TAB_NAMES, type TabName } from '../recorder/record.ts';
import { RecorderServer } from '../recorder/recorder-server.ts';
import { RecorderTab } from '../recorder/recorder-tab.ts';

/** A timer of 100 ms that has not gone off for so long is held back to once a minute: to once a second was before. */
const HELD_BACK_MS = 2_500;

export function hiddenTabScenarios(fixture: BrowserFixture<ChromiumBrowser>): void {
  let server: RecorderServer;
  let proxy: TcpProxy;
  afterEach(async () => {
    await proxy.close();
    await server.close();
  });

  type Tabs = readonly (readonly [TabName, RecorderTab<ChromiumPage>])[];

  /** One tab for each transport, behind a proxy, and another in front of them. */
  const openHidden = async (limits: Parameters<typeof RecorderServer.start>[0] = {}): Promise<Tabs> => {
    server = await RecorderServer.start(limits);
    proxy = await TcpProxy.start(server.port);
    const tabs: [TabName, RecorderTab<ChromiumPage>][] = [];
    for (const name of TAB_NAMES) {
      const page = await fixture.browser.openTab(`http://127.0.0.1:${proxy.port}/?tab=${name}`);
      tabs.push([name, new RecorderTab(fixture.keep(page))]);
    }
    for (const [name, tab] of tabs) await tab.connected(name);
    const front = fixture.keep(await fixture.browser.openTab(`${server.url}/elsewhere`));
    await front.show();
    for (const [, tab] of tabs) await tab.until('nobody to look at it', ({ life }) => life.at(-1) === 'hidden');
    return tabs;
  };

  const each = async (tabs: Tabs, act: (tab: RecorderTab<ChromiumPage>) => Promise<unknown>): Promise<void> => {
    for (const [, tab] of tabs) await act(tab);
  };

  /** Everything has come once, in order, in as many sessions as that. */
  const expectAll = async (tabs: Tabs, saidByEach: number, sessionsOfEach: number): Promise<void> => {
    for (const [name, tab] of tabs) {
      const { numbers, sessions } = await tab.has(server.sent.length);
      expect(numbers, name).toEqual(server.sent);
      expect(server.numbers.get(name), name).toEqual(Array.from({ length: saidByEach }, (_, n) => n));
      expect(sessions, name).toHaveLength(sessionsOfEach);
    }
    expect(server.begun).toHaveLength(tabs.length * sessionsOfEach);
    expect(server.realtime.stats().sessions).toBe(tabs.length);
  };

  /** Waits until timers are held back, and returns how often each has gone off. */
  const heldBack = (tab: RecorderTab<ChromiumPage>): Promise<number> => {
    let turns = 0;
    let since = performance.now();
    return eventually(
      'timers that are held back',
      async () => {
        const { timerTurns = 0 } = (await tab.record()) ?? {};
        if (timerTurns !== turns) since = performance.now();
        turns = timerTurns;
        return turns;
      },
      () => performance.now() - since > HELD_BACK_MS,
    );
  };

  test('hidden tabs whose timers run once a minute get and send everything, and reconnect, without them', async () => {
    const tabs = await openHidden();
    await each(tabs, (tab) => tab.say(2));
    await server.send(5);
    const turns = await Promise.all(tabs.map(([, tab]) => heldBack(tab)));
    await server.send(5);
    await each(tabs, (tab) => tab.say(2));
    await expectAll(tabs, 4, 1);
    proxy.cutAll();
    await server.send(5);
    await each(tabs, (tab) => tab.say(2));
    await expectAll(tabs, 6, 1);
    // None of that has waited for a timer.
    const later = await Promise.all(tabs.map(async ([, tab]) => (await tab.record())?.timerTurns ?? 0));
    later.forEach((count, i) => {
      expect(count - (turns[i] ?? 0)).toBeLessThanOrEqual(1);
    });
    await each(tabs, (tab) => tab.page.show());
    await server.send(5);
    await expectAll(tabs, 6, 1);
  });

  test('frozen tabs that lose their connections go on with the same session', async () => {
    const tabs = await openHidden();
    await each(tabs, (tab) => tab.say(2));
    await server.send(5);
    await expectAll(tabs, 2, 1);
    await each(tabs, (tab) => tab.page.freeze());
    await server.send(5);
    proxy.cutAll();
    await server.send(5);
    await each(tabs, (tab) => tab.page.resume());
    await each(tabs, (tab) => tab.page.show());
    await each(tabs, (tab) => tab.say(2));
    await expectAll(tabs, 4, 1);
    await each(tabs, (tab) => tab.until('a record of it', ({ life }) => life.includes('freeze')));
  });

  test('tabs that are frozen for longer than their sessions last have every number once', async () => {
    const tabs = await openHidden({ ttlMs: 500 });
    await server.send(5);
    await each(tabs, (tab) => tab.has(5));
    await each(tabs, (tab) => tab.page.freeze());
    proxy.sever();
    await server.send(5);
    await eventually(
      'the end of all sessions',
      () => server.ended.length,
      (ended) => ended === tabs.length,
    );
    proxy.refusing = false;
    await each(tabs, (tab) => tab.page.resume());
    await each(tabs, (tab) => tab.page.show());
    await server.send(5);
    await each(tabs, (tab) => tab.say(1));
    await expectAll(tabs, 1, 2);
  });
}
