/** Pages that are left, put by for the back button, and gone back to. */
import { afterEach, describe, expect, test } from 'vitest';
import type { BrowserFixture } from '../browser-fixture.ts';
import { eventually } from '../eventually.ts';
import { TAB_NAMES, type TabName } from '../recorder/record.ts';
import { RecorderServer } from '../recorder/recorder-server.ts';
import { RecorderTab } from '../recorder/recorder-tab.ts';

interface Habits {
  /** Whether a page with open connections is put by when it is left, or ends. */
  readonly keepsPages: boolean;
}

export function pageLifeScenarios(fixture: BrowserFixture, { keepsPages }: Habits): void {
  let server: RecorderServer;
  afterEach(() => server.close());
  const open = async (name: TabName): Promise<RecorderTab> => {
    const tab = new RecorderTab(await fixture.open(`${server.url}/?tab=${name}`));
    await tab.connected(name);
    await server.send(3);
    await tab.say(3);
    await tab.has(3);
    return tab;
  };
  const leave = (tab: RecorderTab): Promise<void> => tab.page.goto(`${server.url}/elsewhere`);

  describe.each(TAB_NAMES)('over %s', (name) => {
    test('a page that is left and gone back to has every number once', async () => {
      server = await RecorderServer.start();
      const tab = await open(name);
      await leave(tab);
      await server.send(3);
      await tab.page.back();
      const back = await tab.until('the page', ({ life }) =>
        life.includes(keepsPages ? 'pageshow persisted' : 'pageshow'),
      );
      if (keepsPages) await tab.has(6);
      else await tab.connected(name);
      await server.send(3);
      await tab.say(2);
      const { numbers, sessions } = await tab.has(keepsPages ? 9 : 3);
      expect(numbers).toEqual(keepsPages ? server.sent : [6, 7, 8]);
      expect(back.life.includes('pageshow persisted')).toBe(keepsPages);
      expect(sessions).toEqual(server.begun.slice(-1));
      expect(server.begun).toHaveLength(keepsPages ? 1 : 2);
      expect(server.numbers.get(name)).toEqual(keepsPages ? [0, 1, 2, 3, 4] : [0, 1, 2, 0, 1]);
      // Firefox closes the sockets of a page before it tells the page that it goes; then only a POST can say goodbye.
      if (keepsPages || name === 'websocket') return;
      await eventually(
        'a goodbye',
        () => server.ended,
        ({ length }) => length > 0,
      );
      expect(server.ended).toEqual([{ name: server.begun[0], code: 'closed' }]);
    });

    // Firefox now and then drops what a page sends whose tab is being closed, over whatever transport.
    if (!keepsPages) return;
    test('a page that is closed ends its session', async () => {
      server = await RecorderServer.start();
      const tab = await open(name);
      await tab.page.close();
      await eventually(
        'a goodbye',
        () => server.ended,
        ({ length }) => length > 0,
      );
      expect(server.ended).toEqual([{ name: server.begun[0], code: 'closed' }]);
    });
  });
}

/** For browsers that keep pages. */
export function longAwayScenario(fixture: BrowserFixture): void {
  let server: RecorderServer;
  afterEach(() => server.close());

  test('a page that was put by for longer than its session lasts has every number once', async () => {
    server = await RecorderServer.start({ ttlMs: 500 });
    const tab = new RecorderTab(await fixture.open(`${server.url}/?tab=poll`));
    await tab.connected('poll');
    await server.send(3);
    await tab.has(3);
    await tab.page.goto(`${server.url}/elsewhere`);
    await server.send(3);
    await eventually(
      'the end of the session',
      () => server.ended,
      ({ length }) => length > 0,
    );
    await server.send(3);
    await tab.page.back();
    await tab.say(1);
    const { numbers, sessions, life } = await tab.has(9);
    expect(life).toContain('pageshow persisted');
    expect(numbers).toEqual(server.sent);
    expect(sessions).toEqual(server.begun);
    expect(sessions).toHaveLength(2);
    expect(server.realtime.stats().sessions).toBe(1);
  });
}
