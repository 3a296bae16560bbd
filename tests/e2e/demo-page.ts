/** The demo as someone uses it: what can be seen and done on its page. */
import type { Locator, Page } from 'playwright-core';

export type TransportName = 'websocket' | 'stream' | 'poll';

export class DemoPage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  part(testId: string): Locator {
    return this.page.locator(`[data-testid="${testId}"]`);
  }

  async rename(name: string): Promise<void> {
    await this.part('name').fill(name);
    await this.part('name').press('Enter');
  }

  async say(text: string): Promise<void> {
    await this.part('composer').fill(text);
    await this.part('send').click();
  }

  /** Waits until a message with the text is shown. */
  async sees(text: string): Promise<void> {
    await this.part('message').filter({ hasText: text }).first().waitFor();
  }

  /** Waits until the page is connected, over `transport` if one is named. */
  async connected(transport?: TransportName): Promise<void> {
    await this.page.locator('[data-testid="connection"]:text-is("open")').waitFor();
    if (transport !== undefined) await this.page.locator(`[data-testid="transport"]:text-is("${transport}")`).waitFor();
  }

  async use(transport: TransportName | 'auto'): Promise<void> {
    await this.part('transport-switch').locator(`[data-transport="${transport}"]`).click();
  }

  /** The texts of the messages shown that contain `mark`, in their order. */
  async messages(mark: string): Promise<string[]> {
    const texts = await this.part('message').allTextContents();
    return texts.filter((text) => text.includes(mark));
  }

  /** Spoils the network between this page and the server, in the way of that name. */
  async breakNetwork(trouble: string, seconds: 3 | 8 | 20 | 60): Promise<void> {
    await this.part('trouble-seconds').selectOption(String(seconds));
    await this.part('troubles').locator(`[data-trouble="${trouble}"]`).click();
  }

  /** Waits until the verdict on the connection has the text. */
  async says(verdict: string | RegExp): Promise<void> {
    await this.page.locator('#verdict-text').filter({ hasText: verdict }).waitFor();
  }

  /** Waits until an episode of the journal has the text; returns all of it. */
  async tells(text: string | RegExp): Promise<string> {
    const told = this.part('journal').locator('[data-tone="episode"] span').filter({ hasText: text }).first();
    return (await told.textContent({ timeout: 40_000 })) ?? '';
  }
}
