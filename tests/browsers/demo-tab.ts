/** The demo as someone uses it, in any browser: what can be seen and done on its page. */
import type { BrowserFixture } from './browser-fixture.ts';
import type { Page } from './drivers/browser.ts';
import { eventually } from './eventually.ts';

export type TransportName = 'websocket' | 'stream' | 'poll';

/** What a page shows of its connection. */
interface Connection {
  readonly state: string;
  readonly transport: string;
}

export class DemoTab {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Opens the demo, and waits until its script has put up what one can use; there may be no connection yet. */
  static async open(fixture: BrowserFixture, url: string): Promise<DemoTab> {
    const tab = new DemoTab(await fixture.open(url));
    await eventually(
      'the page',
      () => tab.page.evaluate(() => document.querySelector('[data-transport]') !== null, null),
      (isThere) => isThere,
    );
    return tab;
  }

  async say(text: string): Promise<void> {
    await this.#fill('composer', text);
    await this.#click('[data-testid="send"]');
  }

  async alert(text: string): Promise<void> {
    await this.#fill('alert-text', text);
    await this.#click('[data-testid="alert-send"]');
  }

  async use(transport: TransportName | 'auto'): Promise<void> {
    await this.#click(`[data-testid="transport-switch"] [data-transport="${transport}"]`);
  }

  connection(): Promise<Connection> {
    return this.page.evaluate(() => {
      const [state = '', transport = ''] = ['connection', 'transport'].map(
        (id) => document.querySelector(`[data-testid="${id}"]`)?.textContent ?? '',
      );
      return { state, transport };
    }, null);
  }

  /** Waits until the page is connected, over `transport` if one is named. */
  async connected(transport?: string): Promise<void> {
    await eventually(
      `an open connection over ${transport ?? 'any transport'}`,
      () => this.connection(),
      (connection) => connection.state === 'open' && (transport === undefined || connection.transport === transport),
    );
  }

  /** The texts that begin with `mark` of the messages shown, in their order; those of one's own that are on their way count. */
  messages(mark: string): Promise<string[]> {
    return this.#texts('message', '.message-text', mark);
  }

  alerts(mark: string): Promise<string[]> {
    return this.#texts('alert', ':scope *', mark);
  }

  /** Waits until all of these are shown, and maybe others. */
  async sees(...texts: readonly string[]): Promise<void> {
    await eventually(
      `the messages ${texts}`,
      () => this.messages(''),
      (shown) => texts.every((text) => shown.includes(text)),
    );
  }

  async #texts(testId: string, within: string, mark: string): Promise<string[]> {
    const texts = await this.page.evaluate(
      ({ outer, inner }) =>
        [...document.querySelectorAll(outer)].map(
          (element) => [...element.querySelectorAll(inner)].map((part) => part.textContent ?? '') as readonly string[],
        ),
      { outer: `[data-testid="${testId}"]`, inner: within },
    );
    return texts.flatMap((parts) => parts.find((text) => text.startsWith(mark)) ?? []);
  }

  async #fill(testId: string, text: string): Promise<void> {
    await this.page.evaluate(
      ({ selector, text }) => {
        const field = document.querySelector<HTMLInputElement | HTMLTextAreaElement>(selector);
        if (field === null) throw new Error(`There is no ${selector}.`);
        field.value = text;
        field.dispatchEvent(new Event('input', { bubbles: true }));
      },
      { selector: `[data-testid="${testId}"]`, text },
    );
  }

  async #click(selector: string): Promise<void> {
    await this.page.evaluate((selector) => {
      const target = document.querySelector<HTMLElement>(selector);
      if (target === null) throw new Error(`There is no ${selector}.`);
      target.click();
    }, selector);
  }
}
