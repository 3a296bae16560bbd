/** One browser for all tests of a file; pages that last as long as a test. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, type TestContext } from 'vitest';
import type { Browser, BrowserKind, Page } from './drivers/browser.ts';

/** What pages looked like when their test failed; not part of the repository. */
const screenshots = join(import.meta.dirname, 'screenshots');

/** How long a page that may be frozen or dead is waited for, ms. */
const PORTRAIT_MS = 5_000;

export class BrowserFixture<B extends Browser = Browser> {
  readonly kind: BrowserKind<B>;
  readonly #pages: Page[] = [];
  #browser: B | null = null;

  constructor(kind: BrowserKind<B>) {
    this.kind = kind;
    beforeAll(async () => {
      this.#browser = await kind.launch();
    });
    afterEach(async (test) => {
      const pages = this.#pages.splice(0);
      if (test.task.result?.state === 'fail') await Promise.all(pages.map((page, i) => this.#portray(page, i, test)));
      for (const page of pages) await page.close().catch(() => {});
    });
    afterAll(() => this.#browser?.kill());
  }

  get browser(): B {
    if (this.#browser === null) throw new Error(`${this.kind.name} is not open yet.`);
    return this.#browser;
  }

  /** A page that is closed when the test is over. */
  async open(url: string): Promise<Awaited<ReturnType<B['open']>>> {
    return this.keep((await this.browser.open(url)) as Awaited<ReturnType<B['open']>>);
  }

  keep<P extends Page>(page: P): P {
    this.#pages.push(page);
    return page;
  }

  async #portray(page: Page, index: number, { task }: TestContext): Promise<void> {
    const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), PORTRAIT_MS).unref());
    const picture = await Promise.race([page.screenshot().catch(() => null), late]);
    if (picture === null) return;
    await mkdir(screenshots, { recursive: true });
    const name = `${this.kind.name} ${task.name} ${index + 1}`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
    await writeFile(join(screenshots, `${name}.png`), picture);
  }
}
