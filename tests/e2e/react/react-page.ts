/** The app in a tab: what is seen and done there, and what goes up from it. */
import type { Locator, Page } from 'playwright-core';
import type { Browser } from '../browser.ts';

export interface OpenOptions {
  readonly name?: string;
  readonly lostAfterMs?: number;
  /** Whether the page comes with what a server has rendered. */
  readonly rendered?: boolean;
}

export class ReactPage {
  readonly page: Page;
  /** What the page has said went wrong. */
  readonly errors: string[] = [];
  /** Frames that went up its WebSockets, attaches taken apart: subscribing there is as good as with a frame of its own. */
  readonly frames: (readonly unknown[])[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.errors.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(message.text());
    });
    page.on('websocket', (socket) =>
      socket.on('framesent', ({ payload }) => {
        for (const line of String(payload).trimEnd().split('\n')) this.#note(JSON.parse(line) as readonly unknown[]);
      }),
    );
  }

  /** Pinned to WebSocket, so that all frames can be seen. */
  static async open(browser: Browser, port: number, options: OpenOptions = {}): Promise<ReactPage> {
    const { name = 'ann', lostAfterMs = 2_000, rendered = false } = options;
    const page = new ReactPage(await browser.open('about:blank'));
    const query = new URLSearchParams({ name, transport: 'websocket', lostAfterMs: String(lostAfterMs) });
    if (rendered) query.set('rendered', '');
    await page.page.goto(`http://127.0.0.1:${port}/?${query}`);
    return page;
  }

  part(testId: string): Locator {
    return this.page.locator(`[data-testid="${testId}"]`);
  }

  /** Clicks buttons, one after another. */
  async press(...names: string[]): Promise<void> {
    for (const name of names) await this.page.getByRole('button', { name, exact: true }).click();
  }

  /** Waits until a part shows exactly this text. */
  async shows(testId: string, text: string): Promise<void> {
    await this.part(testId)
      .and(this.page.getByText(text, { exact: true }))
      .waitFor({ state: 'attached' });
  }

  async say(text: string): Promise<void> {
    await this.part('text').fill(text);
    await this.part('text').press('Enter');
  }

  /** Waits until that many messages are shown, and gives them. */
  async messages(count: number): Promise<string[]> {
    await this.part('messages')
      .locator('li')
      .nth(count - 1)
      .waitFor();
    return this.part('messages').locator('li').allTextContents();
  }

  /** Collects what a part shows from here on; what this resolves to gives it. */
  async collect(testId: string): Promise<() => Promise<string[]>> {
    const seen = await this.part(testId).evaluateHandle((part) => {
      const texts: string[] = [];
      new MutationObserver(() => texts.push(part.textContent ?? '')).observe(part, {
        characterData: true,
        childList: true,
        subtree: true,
      });
      return texts;
    });
    return () => seen.jsonValue();
  }

  /** How often a channel was subscribed and left: `+` and `-`, in order. */
  subscriptions(channel: string): string {
    return this.frames
      .flatMap(([type, ...rest]) => {
        if (type === 28 && rest[1] === channel) return ['+'];
        return type === 29 && rest[0] === channel ? ['-'] : [];
      })
      .join('');
  }

  /** The data of the requests for presence; null for leaving. */
  presences(): unknown[] {
    return this.frames.flatMap(([type, , , method, data]) =>
      type === 18 && (method === '$enter' || method === '$leave') ? [data] : [],
    );
  }

  #note(frame: readonly unknown[]): void {
    this.frames.push(frame);
    const { subs = [] } = (frame[0] === 0 ? frame[1] : {}) as { readonly subs?: readonly (readonly unknown[])[] };
    for (const sub of subs) this.frames.push([28, ...sub]);
  }
}
