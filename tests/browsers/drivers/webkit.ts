/**
 * WebKitGTK in a virtual screen, driven by its own WebKitWebDriver: W3C WebDriver over HTTP. It has one session, and that one window at a time, so commands
 * take turns. A client library would be larger than the eight commands used here.
 */
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Browser, type BrowserKind, need, type Page } from './browser.ts';
import { Program } from './program.ts';

const debianPackage = 'webkit2gtk-driver';

export const webkit: BrowserKind = {
  name: 'WebKit',
  launch: async (): Promise<Browser> => {
    const driverProgram = need('/usr/bin/WebKitWebDriver', debianPackage);
    const binary = miniBrowser();
    const screenArgs = ['-displayfd', '3', '-screen', '0', '1280x800x24', '-nolisten', 'tcp'];
    const screen = new Program(need('/usr/bin/Xvfb', 'xvfb'), screenArgs);
    const display = `:${await screen.says(/(\d+)\n/, 3)}`;
    const port = await freePort();
    const env = { ...process.env, DISPLAY: display, GDK_BACKEND: 'x11', NO_AT_BRIDGE: '1' };
    const program = new Program(driverProgram, [`--port=${port}`, '--host=127.0.0.1'], env);
    const driver = await Driver.connect(`http://127.0.0.1:${port}`, program, {
      alwaysMatch: { 'webkitgtk:browserOptions': { binary, args: ['--automation'] } },
    });
    // Stays open: the window that commands go to must be there, even for opening another.
    const first = String(await driver.send('GET', '/window'));
    return {
      open: async (url) => {
        const opened = await driver.send('POST', '/window/new', { type: 'window' }, first);
        const { handle } = opened as { handle: string };
        const page = new WebKitPage(driver, handle);
        await page.goto(url);
        return page;
      },
      kill: async () => {
        await program.kill();
        await screen.kill();
      },
    };
  },
};

/** The browser that comes with the library that the driver needs. */
function miniBrowser(): string {
  const libraries = '/usr/lib';
  const found = readdirSync(libraries)
    .flatMap((architecture) => ['4.1', '4.0'].map((api) => `${architecture}/webkit2gtk-${api}/MiniBrowser`))
    .map((path) => join(libraries, path))
    .find((path) => existsSync(path));
  return found ?? need(join(libraries, 'webkit2gtk-4.1/MiniBrowser'), debianPackage);
}

/** The driver does not say which port it took, so it is told one. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

type Method = 'GET' | 'POST' | 'DELETE';

/** A WebDriver session. */
class Driver {
  readonly #sessionUrl: string;
  /** What is done when all commands given so far are. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(sessionUrl: string) {
    this.#sessionUrl = sessionUrl;
  }

  static async connect(url: string, program: Program, capabilities: object): Promise<Driver> {
    const gone = program.ended.then(() => {
      throw new Error('WebKitWebDriver ended before it was ready.');
    });
    for (let ready = false; !ready; ) {
      ready = await Promise.race([fetch(`${url}/status`).then(({ ok }) => ok, pause), gone]);
    }
    const { sessionId } = (await command('POST', `${url}/session`, { capabilities })) as { sessionId: string };
    return new Driver(`${url}/session/${sessionId}`);
  }

  /** Takes its turn. With a `window`, that is made the current one before. */
  send(method: Method, path: string, body: object | null = null, window?: string): Promise<unknown> {
    const turn = async (): Promise<unknown> => {
      if (window !== undefined) await command('POST', `${this.#sessionUrl}/window`, { handle: window });
      return command(method, `${this.#sessionUrl}${path}`, body);
    };
    const done = this.#last.then(turn, turn);
    this.#last = done;
    return done;
  }
}

/** Lets other things happen; it is not ready. */
function pause(): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), 10));
}

async function command(method: Method, url: string, body: object | null): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method, ...(body === null ? {} : { headers, body: JSON.stringify(body) }) });
  const { value } = (await response.json()) as { value: { error?: string; message?: string } | null };
  if (!response.ok) throw new Error(`${method} ${url}: ${value?.error}: ${value?.message}`);
  return value;
}

class WebKitPage implements Page {
  readonly #driver: Driver;
  readonly #window: string;

  constructor(driver: Driver, window: string) {
    this.#driver = driver;
    this.#window = window;
  }

  async goto(url: string): Promise<void> {
    await this.#send('POST', '/url', { url });
  }

  async back(): Promise<void> {
    await this.#send('POST', '/back', {});
  }

  async evaluate<A, T>(run: (given: A) => T | Promise<T>, given: A): Promise<T> {
    const script = `
      const [given, answer] = arguments;
      (async () => (${run})(given))().then((value) => answer({ value }), (error) => answer({ error: String(error) }));`;
    const answer = await this.#send('POST', '/execute/async', { script, args: [given] });
    const { value, error } = answer as { value: T; error?: string };
    if (error !== undefined) throw new Error(`In the page: ${error}`);
    return value;
  }

  async screenshot(): Promise<Buffer> {
    return Buffer.from(String(await this.#send('GET', '/screenshot')), 'base64');
  }

  async close(): Promise<void> {
    await this.#send('DELETE', '/window');
  }

  #send(method: Method, path: string, body: object | null = null): Promise<unknown> {
    return this.#driver.send(method, path, body, this.#window);
  }
}
