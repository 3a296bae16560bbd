/** Chromium as the system has it, driven by Playwright, with a profile of its own that is thrown away. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

const args = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Where screenshots are left to be looked at; not part of the repository. */
export const screenshots: string = join(import.meta.dirname, 'screenshots');

/** Pages that have everything in common, as the tabs of one window. */
export interface Tabs {
  open(url: string): Promise<Page>;
  close(): Promise<void>;
}

export interface Browser {
  /** None at first, and nothing in common with other pages. */
  openTabs(): Promise<Tabs>;
  /** A page of a new context: no cookie, storage or cache in common with another. */
  open(url: string): Promise<Page>;
  close(): Promise<void>;
}

/** @throws Error where Chromium is not installed */
export async function openBrowser(): Promise<Browser> {
  if (!existsSync(executablePath)) {
    throw new Error(`There is no ${executablePath}. Install it: apt-get install chromium`);
  }
  await mkdir(screenshots, { recursive: true });
  const profile = await mkdtemp(join(tmpdir(), 'runnel-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args,
    viewport: { width: 1280, height: 800 },
  });
  const contexts: BrowserContext[] = [];
  return {
    openTabs: async () => {
      const fresh = (await context.browser()?.newContext()) ?? context;
      return {
        open: async (url) => {
          const page = await fresh.newPage();
          page.setDefaultTimeout(20_000);
          await page.goto(url);
          return page;
        },
        close: () => fresh.close(),
      };
    },
    open: async (url) => {
      const fresh = await context.browser()?.newContext({ viewport: { width: 1280, height: 800 } });
      const page = await (fresh ?? context).newPage();
      if (fresh !== undefined) contexts.push(fresh);
      page.setDefaultTimeout(20_000);
      await page.goto(url);
      return page;
    },
    close: async () => {
      for (const fresh of contexts) await fresh.close();
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
