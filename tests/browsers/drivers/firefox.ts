/**
 * Firefox as Debian has it, driven over WebDriver BiDi, which it speaks itself: Playwright needs a Firefox of its own, and the libraries that can do this are
 * dozens of packages for the eight commands used here.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { type Browser, type BrowserKind, need, type Page } from './browser.ts';
import { Program } from './program.ts';

/** Nothing is fetched that no page asked for. The agent sets most of what automation wants by itself. */
const preferences = {
  'app.normandy.enabled': false,
  'browser.safebrowsing.provider.mozilla.updateURL': '',
  'browser.search.update': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.systemAddon.update.enabled': false,
  'media.gmp-manager.updateEnabled': false,
  'messaging-system.rsexperimentloader.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,#none',
  'toolkit.telemetry.enabled': false,
};

export const firefox: BrowserKind = {
  name: 'Firefox',
  launch: async (): Promise<Browser> => {
    const binary = need('/usr/bin/firefox-esr', 'firefox-esr');
    const profile = await mkdtemp(join(tmpdir(), 'runnel-firefox-'));
    const lines = Object.entries(preferences).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`);
    await writeFile(join(profile, 'user.js'), lines.join('\n'));
    const program = new Program(binary, [
      '--headless',
      '--no-remote',
      '--profile',
      profile,
      '--remote-debugging-port=0',
    ]);
    const agent = await BiDi.connect(`${await program.says(/BiDi listening on (ws:\S+)/)}/session`);
    await agent.send('session.new', { capabilities: {} });
    return {
      open: async (url) => {
        const { userContext } = await agent.send('browser.createUserContext', {});
        const { context } = await agent.send('browsingContext.create', { type: 'window', userContext });
        const page = new FirefoxPage(agent, String(context), String(userContext));
        await page.goto(url);
        return page;
      },
      kill: async () => {
        await program.kill();
        await rm(profile, { recursive: true, force: true });
      },
    };
  },
};

type Json = Readonly<Record<string, unknown>>;

interface Answer {
  readonly id?: number;
  readonly type: 'success' | 'error' | 'event';
  readonly result?: Json;
  readonly error?: string;
  readonly message?: string;
}

/** Commands over one WebSocket (W3C WebDriver BiDi). */
class BiDi {
  readonly #socket: WebSocket;
  readonly #unanswered = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const answer = JSON.parse(String(data)) as Answer;
      if (answer.id === undefined) return;
      this.#unanswered.get(answer.id)?.(answer);
      this.#unanswered.delete(answer.id);
    });
    socket.on('close', () => {
      const answer: Answer = { type: 'error', error: 'closed', message: 'Firefox is gone.' };
      for (const settle of this.#unanswered.values()) settle(answer);
      this.#unanswered.clear();
    });
  }

  static async connect(url: string): Promise<BiDi> {
    const socket = new WebSocket(url);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return new BiDi(socket);
  }

  send(method: string, params: Json): Promise<Json> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#unanswered.set(id, ({ type, result = {}, error, message }) => {
        if (type === 'success') resolve(result);
        else reject(new Error(`${method}: ${error}: ${message}`));
      });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }
}

class FirefoxPage implements Page {
  readonly #agent: BiDi;
  readonly #context: string;
  readonly #userContext: string;

  constructor(agent: BiDi, context: string, userContext: string) {
    this.#agent = agent;
    this.#context = context;
    this.#userContext = userContext;
  }

  async goto(url: string): Promise<void> {
    await this.#send('browsingContext.navigate', { url, wait: 'complete' });
  }

  async back(): Promise<void> {
    await this.#send('browsingContext.traverseHistory', { delta: -1 });
  }

  async evaluate<A, T>(run: (given: A) => T | Promise<T>, given: A): Promise<T> {
    // As JSON text: BiDi's own form of values says more than is needed.
    const functionDeclaration = `async (given) => JSON.stringify([await (${run})(JSON.parse(given))])`;
    const { result, exceptionDetails } = await this.#send('script.callFunction', {
      functionDeclaration,
      arguments: [{ type: 'string', value: JSON.stringify(given) }],
      awaitPromise: true,
      target: { context: this.#context },
    });
    if (exceptionDetails !== undefined) throw new Error(`In the page: ${(exceptionDetails as Json)['text']}`);
    const [value] = JSON.parse(String((result as Json)['value'])) as [T];
    return value;
  }

  async screenshot(): Promise<Buffer> {
    const { data } = await this.#send('browsingContext.captureScreenshot', {});
    return Buffer.from(String(data), 'base64');
  }

  async close(): Promise<void> {
    await this.#agent.send('browser.removeUserContext', { userContext: this.#userContext });
  }

  #send(method: string, params: Json): Promise<Json> {
    const needsContext = method.startsWith('browsingContext.');
    return this.#agent.send(method, needsContext ? { ...params, context: this.#context } : params);
  }
}
