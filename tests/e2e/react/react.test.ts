/** The hooks in a small app: in Chromium, in StrictMode, with the oldest and the newest React that they are for. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { condition } from '../../support/condition.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { type Browser, openBrowser } from '../browser.ts';
import { bundle } from './bundle.ts';
import { type OpenOptions, ReactPage } from './react-page.ts';
import { ReactServer } from './react-server.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

describe.each([18, 19] as const)('with React %d', (version) => {
  let script: string;
  let html: string;
  let server: ReactServer;
  let proxy: TcpProxy;
  let pages: ReactPage[];

  beforeAll(async () => {
    script = await bundle('main.tsx', version);
    const renderer = await bundle('server.tsx', version);
    const { render } = await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(renderer)}`);
    html = render();
  });
  beforeEach(async () => {
    server = await ReactServer.start({ script, html });
    proxy = await TcpProxy.start(server.port);
    pages = [];
  });
  afterEach(async () => {
    for (const { page } of pages) await page.close();
    await proxy.close();
    await server.close();
  });

  async function open(options: OpenOptions = {}): Promise<ReactPage> {
    const page = await ReactPage.open(browser, proxy.port, options);
    pages.push(page);
    await page.shows('status', 'open websocket');
    return page;
  }

  test('two people chat, and see each of their messages once', async () => {
    const [ann, bob] = [await open({ name: 'ann' }), await open({ name: 'bob' })];
    expect(await ann.page.locator('html').getAttribute('data-react')).toMatch(new RegExp(`^${version}\\.`));
    await ann.press('enter lobby');
    await ann.shows('room-status', 'subscribed');
    await ann.say('Is anybody here?');
    await ann.messages(1);
    await bob.press('enter lobby');
    expect(await bob.messages(1)).toEqual(['ann: Is anybody here?']);
    await bob.say('I am.');
    const said = ['ann: Is anybody here?', 'bob: I am.'];
    expect(await ann.messages(2)).toEqual(said);
    expect(await bob.messages(2)).toEqual(said);
    expect([...ann.errors, ...bob.errors]).toEqual([]);
  });

  test('a component subscribes once, and leaves nothing behind', async () => {
    const ann = await open();
    await ann.press('enter lobby');
    await ann.shows('room-status', 'subscribed');
    expect(ann.subscriptions('room/lobby')).toBe('+');
    expect(server.realtime.stats()).toMatchObject({ sessions: 1, subscriptions: 1 });
    await ann.press('leave room');
    await condition('nothing is subscribed', () => server.realtime.stats().subscriptions === 0);
    expect(ann.subscriptions('room/lobby')).toBe('+-');
    await ann.press('enter lobby', 'unmount');
    await condition('nothing is subscribed', () => ann.subscriptions('room/lobby') === '+-+-');
    await condition('nothing is subscribed', () => server.realtime.stats().subscriptions === 0);
    expect(server.realtime.stats().sessions).toBe(1);
    expect(ann.errors).toEqual([]);
  });

  test('a subscription goes from the component that leaves to the one that comes, and so do the messages', async () => {
    const ann = await open();
    await ann.press('enter lobby');
    for (const text of ['one', 'two', 'three', 'four']) await ann.say(text);
    await ann.messages(4);
    await ann.press('show transcript');
    await ann.shows('transcript', 'two, three, four');
    await ann.press('leave room', 'enter lobby', 'from room to transcript');
    await ann.shows('transcript', 'two, three, four');
    await server.realtime
      .channel('room/:roomId', { roomId: 'lobby' })
      .broadcast('message', { text: 'five', from: 'x' });
    await ann.shows('transcript', 'three, four, five');
    expect(ann.subscriptions('room/lobby')).toBe('+');
  });

  test('a component moves from room to room, and stays nowhere', async () => {
    const ann = await open();
    await ann.press('enter lobby');
    await ann.say('in the lobby');
    await ann.messages(1);
    await ann.press('enter garden');
    await ann.shows('room', 'garden');
    await ann.shows('room-status', 'subscribed');
    await ann.say('in the garden');
    expect(await ann.messages(1)).toEqual(['ann: in the garden']);
    await ann.press('enter nowhere');
    await ann.shows('room-status', 'idle');
    expect(await ann.part('messages').locator('li').count()).toBe(0);
    await condition('nothing is subscribed', () => server.realtime.stats().subscriptions === 0);
    await ann.press('enter lobby');
    expect(await ann.messages(1)).toEqual(['ann: in the lobby']);
    expect([ann.subscriptions('room/lobby'), ann.subscriptions('room/garden')]).toEqual(['+-+', '+-']);
  });

  test('the handler of the last render is called, and nothing is subscribed for it', async () => {
    const ann = await open();
    await ann.press('enter lobby');
    await ann.shows('room-status', 'subscribed');
    const room = server.realtime.channel('room/:roomId', { roomId: 'lobby' });
    await room.broadcast('wave', 'bob');
    await ann.shows('waves', '1 bob');
    await room.broadcast('wave', 'cat');
    await ann.shows('waves', '1 bob, 2 cat');
    expect(ann.subscriptions('room/lobby')).toBe('+');
  });

  test('people are present while they are there, with what they feel', async () => {
    const [ann, bob] = [await open({ name: 'ann' }), await open({ name: 'bob' })];
    await ann.press('enter lobby');
    await ann.shows('room-status', 'subscribed');
    await bob.press('be happy', 'enter lobby');
    await ann.shows('members', 'bob happy');
    await ann.press('be tired');
    await bob.shows('members', 'ann tired, bob happy');
    await ann.press('be happy');
    await bob.shows('members', 'ann happy, bob happy');
    expect(ann.presences()).toEqual([{ mood: 'tired' }, { mood: 'happy' }]);
    await ann.press('be absent');
    await bob.shows('members', 'bob happy');
    await bob.press('unmount');
    await ann.shows('members', '');
    expect(ann.presences()).toEqual([{ mood: 'tired' }, { mood: 'happy' }, null]);
    expect(bob.presences()).toEqual([{ mood: 'happy' }, null]);
  });

  test('who has entered by hand is present until the handle is closed', async () => {
    const [ann, bob] = [await open({ name: 'ann' }), await open({ name: 'bob' })];
    await bob.press('enter lobby');
    await ann.press('enter lobby', 'wink');
    await bob.shows('members', 'ann winking');
    await ann.press('leave room');
    await bob.shows('members', '');
  });

  test('who may not enter is told why, and may enter otherwise', async () => {
    const ann = await open();
    await ann.press('enter lobby', 'be furious');
    await ann.shows('presence-error', 'handler_failed');
    await ann.press('be happy');
    await ann.shows('members', 'ann happy');
    await ann.shows('presence-error', '');
    expect(server.errors).toEqual([expect.objectContaining({ message: 'nobody is furious here' })]);
  });

  test('a state is followed from its snapshot, by whoever comes whenever', async () => {
    await server.quote('A', 1);
    const ann = await open();
    await ann.press('show prices');
    await ann.shows('prices', 'A 1');
    await server.quote('A', 5);
    await server.quote('B', 2);
    await ann.shows('prices', 'A 5, B 2');
    await ann.press('show highs');
    await ann.shows('highs', 'A 5, B 2');
    await server.quote('A', 3);
    await ann.shows('prices', 'A 3, B 2');
    await ann.shows('highs', 'A 5, B 2');
    expect(ann.subscriptions('ticker')).toBe('+');
    await ann.press('hide prices');
    await server.quote('B', 4);
    await ann.shows('highs', 'A 5, B 4');
  });

  test('a state is right again after the server has lost everything', async () => {
    await server.quote('A', 1);
    const ann = await open();
    await ann.press('show prices');
    await ann.shows('prices', 'A 1');
    server.prices.clear();
    server.prices.set('B', 7);
    await server.replace();
    await ann.shows('prices', 'B 7');
    await server.quote('B', 8);
    await ann.shows('prices', 'B 8');
  });

  test('a channel that is refused says so', async () => {
    const ann = await open();
    await ann.press('show secret');
    await ann.shows('secret', 'forbidden');
  });

  test('a connection that is cut and back at once is not called lost', async () => {
    const ann = await open({ lostAfterMs: 15_000 });
    const statuses = await ann.collect('status');
    proxy.cutAll();
    await condition('it was noticed', async () => (await statuses()).includes('reconnecting '));
    await ann.shows('status', 'open websocket');
    expect(await statuses()).toEqual(['reconnecting ', 'open websocket']);
  });

  test('a connection that stays away is lost, until it is found again with all that was said', async () => {
    const [ann, bob] = [await open({ lostAfterMs: 50 }), await ReactPage.open(browser, server.port, { name: 'bob' })];
    pages.push(bob);
    await ann.press('enter lobby');
    await bob.press('enter lobby');
    await ann.shows('room-status', 'subscribed');
    await bob.shows('room-status', 'subscribed');
    proxy.sever();
    await ann.shows('status', 'lost');
    await bob.say('Where are you?');
    await bob.messages(1);
    proxy.refusing = false;
    await ann.shows('status', 'open websocket');
    expect(await ann.messages(1)).toEqual(['bob: Where are you?']);
  });

  test('a client that is closed and connects again has all its components follow', async () => {
    await server.quote('A', 1);
    const ann = await open();
    await ann.press('enter lobby', 'show prices', 'be happy');
    await ann.shows('members', 'ann happy');
    await ann.say('before');
    await ann.messages(1);
    await ann.press('hang up');
    await ann.shows('status', 'closed');
    await ann.shows('room-status', 'failed');
    await condition('nobody is there', () => server.realtime.stats().sessions === 0);
    await server.quote('A', 2);
    await server.realtime
      .channel('room/:roomId', { roomId: 'lobby' })
      .broadcast('message', { text: 'missed', from: 'x' });
    await ann.press('call again');
    expect(await ann.messages(2)).toEqual(['ann: before', 'x: missed']);
    await ann.shows('prices', 'A 2');
    await ann.shows('members', 'ann happy');
  });

  test('a page that a server has rendered is taken over as it is', async () => {
    expect(html).toContain('data-testid="status"');
    const ann = await open({ rendered: true });
    await ann.press('enter lobby');
    await ann.shows('room-status', 'subscribed');
    expect(ann.errors).toEqual([]);
  });
});
