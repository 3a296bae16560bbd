/**
 * Chromium as Debian has it, driven by Playwright. It is started here and not by Playwright, which would keep pages from being put by for the back button,
 * throttled, frozen and hidden.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CDPSession, type Page as PlaywrightPage, chromium as playwright } from 'playwright-core';
import { type Browser, type BrowserKind, need, type Page } from './browser.ts';
import { Program } from './program.ts';

const args = [
  '--headless',
  '--remote-debugging-port=0',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Timers of hidden pages run once a minute: after a second instead of five minutes.
  '--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/1',
];

/** How long a page may take to load, ms. */
const PATIENCE_MS = 10_000;

export interface ChromiumBrowser extends Browser {
  open(url: string): Promise<ChromiumPage>;
  /** A page in another tab of the same window, which hides the ones before it. */
  openTab(url: string): Promise<ChromiumPage>;
  /** A profile of its own, whose pages are all visible and have connections, storage and locks in common. */
  openProfile(): Promise<Profile>;
}

export interface Profile {
  open(url: string): Promise<ChromiumPage>;
  close(): Promise<void>;
}

export const chromium: BrowserKind<ChromiumBrowser> = {
  name: 'Chromium',
  launch: async () => {
    const profile = await mkdtemp(join(tmpdir(), 'runnel-chromium-'));
    const program = new Program(need('/usr/bin/chromium', 'chromium'), [...args, `--user-data-dir=${profile}`]);
    const endpoint = await program.says(/DevTools listening on (ws:\S+)/);
    const browser = await playwright.connectOverCDP(endpoint, { noDefaults: true });
    const [shared] = browser.contexts();
    if (shared === undefined) throw new Error('Chromium has no window.');
    return {
      open: async (url) => {
        const context = await browser.newContext();
        const page = await ChromiumPage.of(await context.newPage(), () => context.close());
        await page.goto(url);
        return page;
      },
      openTab: async (url) => {
        const tab = await shared.newPage();
        const page = await ChromiumPage.of(tab, () => tab.close());
        await page.goto(url);
        return page;
      },
      openProfile: async () => {
        const context = await browser.newContext();
        return {
          open: async (url) => {
            const tab = await context.newPage();
            const page = await ChromiumPage.of(tab, () => tab.close());
            await page.goto(url);
            return page;
          },
          close: () => context.close(),
        };
      },
      kill: async () => {
        await program.kill();
        await rm(profile, { recursive: true, force: true });
      },
    };
  },
};

export class ChromiumPage implements Page {
  readonly #page: PlaywrightPage;
  readonly #devTools: CDPSession;
  readonly #close: () => Promise<void>;

  private constructor(page: PlaywrightPage, devTools: CDPSession, close: () => Promise<void>) {
    this.#page = page;
    this.#devTools = devTools;
    this.#close = close;
  }

  static async of(page: PlaywrightPage, close: () => Promise<void>): Promise<ChromiumPage> {
    page.setDefaultTimeout(PATIENCE_MS);
    return new ChromiumPage(page, await page.context().newCDPSession(page), close);
  }

  async goto(url: string): Promise<void> {
    await this.#page.goto(url);
  }

  async back(): Promise<void> {
    await this.#page.goBack({ waitUntil: 'commit' });
  }

  evaluate<A, T>(run: (given: A) => T | Promise<T>, given: A): Promise<T> {
    return this.#page.evaluate(run as never, given as never) as Promise<T>;
  }

  screenshot(): Promise<Buffer> {
    return this.#page.screenshot();
  }

  close(): Promise<void> {
    return this.#close();
  }

  /** Stops all that the page does, as a browser does to pages that nobody has looked at for long. */
  async freeze(): Promise<void> {
    await this.#devTools.send('Page.setWebLifecycleState', { state: 'frozen' });
  }

  async resume(): Promise<void> {
    await this.#devTools.send('Page.setWebLifecycleState', { state: 'active' });
  }

  /** Makes it the tab that is seen. */
  async show(): Promise<void> {
    await this.#page.bringToFront();
  }
}
