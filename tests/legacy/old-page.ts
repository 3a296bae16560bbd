/** The page of this folder in some browser: what it is told to do, and what it tells. */
import { Collector } from '../support/collector.ts';

/** What the page is opened with. */
export interface PageOptions {
  readonly url: string;
  readonly user: string;
  readonly transports?: readonly string[];
  /** What to take from the engine before anything else runs: globals, and what hangs on them, such as `Array.from`. */
  readonly without?: readonly string[];
}

export interface Told {
  readonly what: string;
  readonly value: unknown;
}

/** A browser's side of it: runs a script in the page, and closes it. */
export interface PagePort {
  run(script: string): Promise<void> | void;
  close(): Promise<void>;
}

export class OldPage {
  readonly told = new Collector<Told>();
  readonly #port: PagePort;

  /** @param open opens a page whose console says `line` */
  static async open(open: (line: (text: string) => void) => Promise<PagePort>): Promise<OldPage> {
    let page: OldPage | null = null;
    const early: string[] = [];
    let ready: () => void = () => {};
    const isReady = new Promise<void>((resolve) => {
      ready = resolve;
    });
    const port = await open((text) => {
      if (text.startsWith('ready ')) ready();
      if (page === null) early.push(text);
      else page.#hear(text);
    });
    // A browser may take long to start: the time of the test is the bound.
    await isReady;
    page = new OldPage(port);
    for (const text of early) page.#hear(text);
    return page;
  }

  private constructor(port: PagePort) {
    this.#port = port;
  }

  /** Calls a function of the page's `app`. */
  async do(name: string, ...args: readonly unknown[]): Promise<void> {
    await this.#port.run(`app.${name}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`);
  }

  /** The values of all that was told of something, as soon as they are as they should be. */
  async until(what: string, holds: (values: readonly unknown[]) => boolean): Promise<readonly unknown[]> {
    return this.values(what, await this.told.until((told) => holds(this.values(what, told))));
  }

  async first(what: string): Promise<unknown> {
    return (await this.until(what, (values) => values.length > 0))[0];
  }

  values(what: string, told: readonly Told[] = this.told.items): readonly unknown[] {
    return told.filter((one) => one.what === what).map(({ value }) => value);
  }

  close(): Promise<void> {
    return this.#port.close();
  }

  #hear(text: string): void {
    const [, what = '', json = ''] = /^([a-z]+) (.*)$/s.exec(text) ?? [];
    // What the browser itself has to say of a lost connection is not the page's.
    if (what !== '' && /^["[{\dntf]/.test(json)) this.told.push({ what, value: JSON.parse(json) });
  }
}
