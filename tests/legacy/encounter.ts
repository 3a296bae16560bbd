/** A page in an old browser and somebody with the client of today, over a network that can be cut. */
import { type Client, createClient, type Diagnosis } from '@runnel/client';
import { expect, onTestFinished } from 'vitest';
import type { Contract } from '../conformance/contract.ts';
import { TestServer } from '../conformance/test-server.ts';
import { Collector } from '../support/collector.ts';
import { condition } from '../support/condition.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { OldPage, type PagePort } from './old-page.ts';
import type { Site } from './site.ts';

/** Opens a page in a browser, which says each `line` of the page's console. */
export type OpenPage = (url: string, line: (text: string) => void) => Promise<PagePort>;

export interface EncounterOptions {
  readonly site: Site;
  readonly open: OpenPage;
  readonly transports?: readonly string[] | undefined;
  /** What the engine is to do without. */
  readonly without: readonly string[];
}

interface Said {
  readonly n: number;
  readonly text: string;
}

const LINE = 'Grüße, ελληνικά, 日本語, 🎉';

export class Encounter {
  readonly server: TestServer;
  readonly proxy: TcpProxy;
  readonly page: OldPage;
  readonly ann: Client<Contract>;
  /** What Ann has heard. */
  readonly heard = new Collector<Said>();
  readonly noted = new Collector<unknown>();
  readonly members = new Collector<string>();
  readonly #room;

  static async begin({ site, open, transports, without }: EncounterOptions): Promise<Encounter> {
    const server = await TestServer.start({ origins: [site.origin], leavesSessions: true });
    const proxy = await TcpProxy.start(server.port);
    onTestFinished(() => proxy.close());
    const url = site.pageUrl({
      url: `http://127.0.0.1:${proxy.port}/realtime`,
      user: 'old',
      ...(transports && { transports }),
      without,
    });
    const page = await OldPage.open((line) => open(url, line));
    onTestFinished(() => page.close());
    const ann = createClient<Contract>(server.url, { auth: { user: 'ann' }, transports: ['stream', 'poll'] });
    onTestFinished(() => ann.close());
    const encounter = new Encounter({ server, proxy, page, ann });
    expect(await page.first('ready')).toMatchObject({ left: [], added: ['Runnel'] });
    await encounter.#room.ready();
    await page.until('room', (states) => states.includes('subscribed'));
    return encounter;
  }

  private constructor({ server, proxy, page, ann }: Pick<Encounter, 'server' | 'proxy' | 'page' | 'ann'>) {
    Object.assign(this, { server, proxy, page, ann });
    this.server = server;
    this.proxy = proxy;
    this.page = page;
    this.ann = ann;
    this.#room = ann.channel('room/:roomId', { roomId: 'lobby' });
    this.#room.on('message', ({ n = 0, text }) => this.heard.push({ n, text }));
    this.#room.on('note', (note) => this.noted.push(note));
    this.#room.presence.onChange((members) =>
      this.members.push(members.map(({ id, data }) => `${id}:${data.mood}`).join()),
    );
  }

  async carriedBy(transport: string): Promise<void> {
    await this.page.until('state', (states) => states.at(-1) === `open ${transport}`);
  }

  /** Both say their next lines at once, while `meanwhile` happens to them, and both hear all of them, once, each one's in order. */
  async talk(from: number, to: number, meanwhile: () => Promise<void> | void = () => {}): Promise<void> {
    const numbers = Array.from({ length: to - from + 1 }, (_, i) => from + i);
    const text = (n: number): string => `${LINE} ${n}`;
    const published = numbers.map(async (n) => {
      await this.page.do('say', n, text(n));
      await this.#room.publish('message', { n: -n, text: text(-n) });
    });
    await meanwhile();
    await Promise.all(published);
    const all = 2 * to;
    const heard = await this.heard.count(all);
    const seen = (await this.page.until('message', (messages) => messages.length >= all)) as readonly Said[];
    const upTo = Array.from({ length: to }, (_, i) => ({ n: i + 1, text: text(i + 1) }));
    for (const lines of [heard, seen.map(({ n, text }) => ({ n, text }))]) {
      expect(lines.filter(({ n }) => n > 0)).toEqual(upTo);
      expect(lines.filter(({ n }) => n < 0)).toEqual(upTo.map(({ n }) => ({ n: -n, text: text(-n) })));
    }
    await this.page.until('said', (said) => said.length === to);
  }

  /** All that there is to be done, with a cut and a restart, on a page that is carried by `transport` when all is well. */
  async everything(transport: string): Promise<void> {
    await this.carriedBy(transport);
    await this.talk(1, 5);
    await this.exchangeBytes();
    await this.ask();
    await this.meet();
    await this.talk(6, 15, () => this.proxy.cutAll());
    await this.restart();
    await this.talk(16, 20);
    await this.carriedBy(transport);
    this.expectPeace();
  }

  async exchangeBytes(): Promise<void> {
    const bytes = [0, 1, 127, 128, 255, 10, 13];
    await this.page.do('note', bytes);
    expect((await this.noted.count(1))[0]).toEqual(new Uint8Array(bytes));
    await this.#room.publish('note', new Uint8Array(bytes));
    const notes = await this.page.until('note', (notes) => notes.length === 2);
    expect(notes).toEqual(notes.map(() => ({ bytes, of: '[object Uint8Array]' })));
  }

  /** Ann says more than one answer of a stream may hold. The page takes it all without losing its session, and without a moment of doubt. */
  async flood(): Promise<void> {
    const attaches = await this.attaches();
    const told = this.page.values('state').length;
    const long = 'ü'.repeat(16_000);
    const numbers = Array.from({ length: 80 }, (_, i) => i + 1);
    for (const n of numbers) await this.#room.publish('message', { n, text: `${n} ${long}` });
    const seen = (await this.page.until('message', (messages) => messages.length >= 80)) as readonly Said[];
    expect(seen.map(({ n, text }) => [n, text.length])).toEqual(numbers.map((n) => [n, `${n} `.length + 16_000]));
    // A link that is new is not given up at once.
    await condition('the session has attached elsewhere', async () => (await this.attaches()) > attaches);
    expect(
      this.page
        .values('state')
        .slice(told)
        .filter((state) => !/^open/.test(String(state))),
    ).toEqual([]);
    await this.carriedBy('stream');
  }

  /** How many attaches the page has sent. */
  async attaches(): Promise<number> {
    const told = this.page.values('diagnosis').length;
    await this.page.do('diagnose');
    const diagnoses = await this.page.until('diagnosis', (diagnoses) => diagnoses.length > told);
    return (diagnoses.at(-1) as Diagnosis).counts.attaches;
  }

  async ask(): Promise<void> {
    await this.page.do('ask', { question: LINE, list: [1, [2]], nothing: null });
    expect(await this.page.first('answer')).toEqual({ question: LINE, list: [1, [2]], nothing: null });
    await this.page.do('count', 20);
    const parts = Array.from({ length: 20 }, (_, i) => i + 1);
    expect(await this.page.first('counted')).toEqual({ parts, output: 'done' });
    this.server.onAsk = ({ fail }) => fail('locked', { by: 'Ann' });
    await this.page.do('ask', 1);
    expect(await this.page.first('failed')).toMatchObject({ code: 'locked', data: { by: 'Ann' } });
    await this.page.do('history');
    expect(await this.page.first('history')).toHaveLength(2);
  }

  async meet(): Promise<void> {
    await this.#room.presence.enter({ mood: 'well' });
    await this.page.do('enter', 'old');
    await this.page.until('members', (lists) => String(lists.at(-1)) === 'ann:well,old:old');
    await this.members.find((list) => list.split(',').sort().join() === 'ann:well,old:old');
    await this.page.do('leave');
    await this.page.until('members', (lists) => String(lists.at(-1)) === 'ann:well');
    await this.members.until((lists) => lists.at(-1) === 'ann:well');
  }

  /** The server dies and comes back, without its sessions. */
  async restart(): Promise<void> {
    await this.server.crash();
    await this.page.until('state', (states) => /^reconnecting/.test(String(states.at(-1))));
    await this.server.restart();
  }

  /** Nothing has reached the page's handler of errors. */
  expectPeace(): void {
    expect(this.page.values('uncaught')).toEqual([]);
  }
}
