/** Many tabs, one session: `share: true`, with tabs that are closed and crash. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { FakeOrigin, type FakeTab } from '../support/fake-origin.ts';
import {
  Collector,
  type ConnectOptions,
  collect,
  condition,
  connect,
  failureOf,
  IN_ORDER,
  OrderedLog,
  roomOf,
  statesOf,
  type TestClient,
  TestServer,
  TRANSPORT_CASES,
} from './harness.ts';

interface OpenTab {
  readonly tab: FakeTab;
  readonly client: TestClient;
}

/** The tabs of each origin that are not gone. */
const tabsOf = new WeakMap<FakeOrigin, Set<OpenTab>>();

function open(origin: FakeOrigin, server: TestServer, options: ConnectOptions = {}): OpenTab {
  const tab = origin.openTab();
  const client = connect(server, { share: true, ...options, environment: tab.environment });
  const opened = { tab, client };
  const all = tabsOf.get(origin) ?? new Set();
  tabsOf.set(origin, all.add(opened));
  // One after another, so that the last one has the session, and ends it.
  onTestFinished(async () => {
    tab.close();
    all.delete(opened);
    const left = [...all].filter((other) => !other.tab.dead && other.client.state.status !== 'closed');
    const isSettled = (other: OpenTab): boolean =>
      hosts(other) && other.client.diagnose().sharing?.tabs === left.length;
    if (left.length > 0) await condition('the host knows who is left', () => left.some(isSettled));
  });
  return opened;
}

const hosts = ({ client }: OpenTab): boolean => client.diagnose().sharing?.host === 'this tab';

async function isOpen({ client }: OpenTab): Promise<void> {
  await statesOf(client).find(({ status }) => status === 'open');
}

/** Opens some, of which the first is the host. */
async function openMany(count: number, server: TestServer, options: ConnectOptions = {}): Promise<OpenTab[]> {
  const origin = new FakeOrigin();
  const first = open(origin, server, options);
  await isOpen(first);
  const tabs = [first, ...Array.from({ length: count - 1 }, () => open(origin, server, options))];
  await Promise.all(tabs.map(isOpen));
  expect(tabs.map(hosts)).toEqual(tabs.map((tab) => tab === first));
  return tabs;
}

/** What comes to a channel without history, and what is missed of it. */
function listen(client: TestClient, id = 'a'): { readonly log: OrderedLog; readonly gaps: unknown[] } {
  const channel = client.channel('live/:id', { id });
  const log = new OrderedLog();
  const gaps: unknown[] = [];
  channel.on('tick', log.add);
  channel.onGap((gap) => gaps.push(gap));
  return { log, gaps };
}

const ready = (tabs: readonly OpenTab[]): Promise<unknown> =>
  Promise.all(tabs.map(({ client }) => client.channel('live/:id', { id: 'a' }).ready()));

describe.each(TRANSPORT_CASES)('over %s', (_over, transports) => {
  it('ten tabs have one session, and each of them everything once, in order', async () => {
    const server = await TestServer.start();
    const tabs = await openMany(10, server, { transports });
    const heard = tabs.map(({ client }) => listen(client).log);
    const taken = new Map<string, number[]>();
    server.onMessage = ({ data: { text, n = 0 } }) => void taken.set(text, [...(taken.get(text) ?? []), n]);
    await ready(tabs);
    const live = server.realtime.channel('live/:id', { id: 'a' });
    const numbers = Array.from({ length: 20 }, (_, n) => n);
    for (const n of numbers) void live.broadcast('tick', n);
    await Promise.all(
      tabs.flatMap(({ client }, i) => numbers.map((n) => roomOf(client).publish('message', { text: `tab ${i}`, n }))),
    );
    await Promise.all(heard.map((log) => log.reach(20)));
    expect(heard.map((log) => log.disorder(20))).toEqual(tabs.map(() => IN_ORDER));
    expect([...taken]).toEqual(expect.arrayContaining(tabs.map((_, i) => [`tab ${i}`, numbers])));
    expect(server.realtime.stats().sessions).toBe(1);
    expect(server.sessions.items).toHaveLength(1);
    expect(server.realtime.stats().subscriptions).toBe(1);
  });

  it('a host that is closed loses nothing, whoever of ten is next', async () => {
    const server = await TestServer.start();
    const tabs = await openMany(10, server, { transports });
    const heard = tabs.map(({ client }) => listen(client));
    const taken = new Collector<string>();
    server.onTick = ({ data }) => taken.push(`tick ${data}`);
    await ready(tabs);
    const last = tabs.at(-1) as OpenTab;
    const live = server.realtime.channel('live/:id', { id: 'a' });
    const done: Promise<unknown>[] = [];
    let said = 0;
    const say = (): void => {
      done.push(live.broadcast('tick', said));
      done.push(last.client.channel('live/:id', { id: 'a' }).publish('tick', said));
      said += 1;
    };
    for (const closing of tabs.slice(0, -1)) {
      await condition('there is a host', () => tabs.some((open) => !open.tab.dead && hosts(open)));
      for (let n = 0; n < 3; n += 1) say();
      const host = tabs.find((open) => !open.tab.dead && open !== last && hosts(open)) ?? closing;
      host.tab.close();
      for (let n = 0; n < 3; n += 1) say();
    }
    await heard.at(-1)?.log.reach(said);
    await Promise.all(done);
    expect(heard.at(-1)?.log.disorder(said)).toEqual(IN_ORDER);
    expect(heard.at(-1)?.gaps).toEqual([]);
    expect(taken.items).toEqual(Array.from({ length: said }, (_, n) => `tick ${n}`));
    expect(server.sessions.items).toHaveLength(1);
    expect(server.ended.items).toEqual([]);
  });
});

describe('a host that dies without a word', () => {
  it('is replaced: channels go on from their positions, and what was published is done once', async () => {
    const server = await TestServer.start({ leavesSessions: true });
    const tabs = await openMany(3, server, { transports: ['websocket'] });
    const [host, , other] = tabs as [OpenTab, OpenTab, OpenTab];
    const heard = new OrderedLog();
    const taken: number[] = [];
    server.onMessage = async ({ data, channel }) => {
      taken.push(data.n ?? -1);
      await channel.broadcast('message', data);
    };
    const room = roomOf(other.client);
    room.on('message', ({ n = -1 }) => heard.add(n));
    await room.ready();
    const done: Promise<void>[] = [];
    for (let n = 0; n < 20; n += 1) {
      if (n === 10) host.tab.crash();
      done.push(room.publish('message', { text: 'm', n }));
    }
    await Promise.all(done);
    await heard.reach(20);
    expect(heard.disorder(20)).toEqual(IN_ORDER);
    expect([...taken].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(server.sessions.items).toHaveLength(2);
  });

  it('leaves channels without history with a gap that is told', async () => {
    const server = await TestServer.start({ leavesSessions: true });
    const tabs = await openMany(2, server, { transports: ['websocket'] });
    const [host, other] = tabs as [OpenTab, OpenTab];
    const { log, gaps } = listen(other.client);
    await ready([other]);
    const live = server.realtime.channel('live/:id', { id: 'a' });
    await live.broadcast('tick', 0);
    await log.reach(1);
    host.tab.crash();
    await live.broadcast('tick', 1);
    await condition('the gap is told', () => gaps.length > 0);
    expect(gaps).toEqual([{ reason: 'positionLost' }]);
    await live.broadcast('tick', 2);
    await log.reach(2);
    expect(log.disorder(3)).toEqual({ ...IN_ORDER, lost: [1] });
  });

  it('is replaced when it is frozen, as soon as something is wanted of it, and takes part again when it is not', async () => {
    const server = await TestServer.start({ leavesSessions: true });
    const tabs = await openMany(2, server, { transports: ['websocket'] });
    const [host, other] = tabs as [OpenTab, OpenTab];
    host.tab.freeze();
    // Its lock goes on being held, and it answers nothing.
    const published = roomOf(other.client).publish('message', { text: 'anybody?' });
    await published;
    expect(hosts(other)).toBe(true);
    host.tab.thaw();
    await condition('it takes part', () => host.client.diagnose().sharing?.host === 'another tab');
    expect(await roomOf(host.client).request('ask', 'back')).toBe('back');
  }, 15_000);
});

describe('a tab that crashes', () => {
  it('is taken from its channels, and the others go on', async () => {
    const server = await TestServer.start();
    const tabs = await openMany(3, server);
    const [host, dying, other] = tabs as [OpenTab, OpenTab, OpenTab];
    const { log } = listen(other.client);
    listen(dying.client, 'b');
    await ready([other]);
    await dying.client.channel('live/:id', { id: 'b' }).ready();
    expect(server.realtime.stats().subscriptions).toBe(2);
    dying.tab.crash();
    await condition('it is taken from its channel', () => server.realtime.stats().subscriptions === 1);
    await server.realtime.channel('live/:id', { id: 'a' }).broadcast('tick', 0);
    await log.reach(1);
    expect(host.client.diagnose().sharing?.tabs).toBe(2);
  });
});

describe('a tab that comes later', () => {
  it('has what it wants of the past, and disturbs nobody', async () => {
    const server = await TestServer.start();
    server.board = () => ({ a: 1 });
    const origin = new FakeOrigin();
    const first = open(origin, server);
    const seen = collect<{ n?: number | undefined }>((push) => roomOf(first.client).on('message', push));
    const { log, gaps } = listen(first.client);
    await ready([first]);
    for (let n = 0; n < 5; n += 1) await roomOf(first.client).publish('message', { text: 'm', n });
    const board = first.client.channel('board/:id', { id: 'x' });
    board.on('set', () => {});
    await board.ready();

    const second = open(origin, server);
    const rewound = collect<{ n?: number | undefined }>((push) =>
      roomOf(second.client, 'lobby', { rewind: 3 }).on('message', push),
    );
    const fresh = listen(second.client).log;
    const snapshots = new Collector<unknown>();
    second.client.channel('board/:id', { id: 'x' }).onSnapshot((data) => snapshots.push(data));
    await rewound.count(3);
    await ready([second]);
    await snapshots.count(1);
    expect(snapshots.items).toEqual([{ a: 1 }]);
    await roomOf(first.client).publish('message', { text: 'm', n: 5 });
    await server.realtime.channel('live/:id', { id: 'a' }).broadcast('tick', 0);
    await rewound.count(4);
    expect(rewound.items.map(({ data: { n } }) => n)).toEqual([2, 3, 4, 5]);
    expect(rewound.items.map(({ offset }) => offset)).toEqual([3, 4, 5, 6]);
    await seen.count(6);
    expect(seen.items.map(({ data: { n } }) => n)).toEqual([0, 1, 2, 3, 4, 5]);
    await Promise.all([log.reach(1), fresh.reach(1)]);
    expect(gaps).toEqual([]);
    expect(server.visits.items).toEqual(['ann > room/lobby']);
  });

  it('is refused what the session may not have, and nobody else is', async () => {
    const server = await TestServer.start({
      authenticate: () => ({ id: 'ann', name: 'ANN', forbidden: ['request'] }),
    });
    const tabs = await openMany(2, server);
    const [, other] = tabs as [OpenTab, OpenTab];
    expect((await failureOf(roomOf(other.client).request('ask', 1))).code).toBe('forbidden');
    const user = other.client.channel('user/:userId', { userId: 'bob' });
    expect((await failureOf(user.ready())).code).toBe('forbidden');
    expect(user.state.status).toBe('failed');
  });
});

describe('presence', () => {
  it('lasts until the last tab that has entered has left or is gone, and shows what the last one gave', async () => {
    const server = await TestServer.start();
    const tabs = await openMany(3, server);
    const [host, second, third] = tabs as [OpenTab, OpenTab, OpenTab];
    const bob = connect(server, { user: 'bob' });
    const seen = new Collector<string>();
    roomOf(bob).presence.onChange((members) => seen.push(members.map(({ id, data }) => `${id} ${data.mood}`).join()));
    await roomOf(bob).ready();
    await roomOf(second.client).presence.enter({ mood: 'second' });
    await seen.find((all) => all === 'ann second');
    await roomOf(third.client).presence.enter({ mood: 'third' });
    await seen.find((all) => all === 'ann third');
    roomOf(host.client).on('message', () => {});
    await roomOf(host.client).ready();
    third.tab.crash();
    await condition('what the other gave is shown', () => seen.last === 'ann second');
    await roomOf(second.client).presence.leave();
    await condition('nobody is there', () => seen.last === '');
    expect(seen.items.filter((all) => all === '')).toHaveLength(2);
  });
});

describe('the session', () => {
  it('ends with the last tab, and closing another ends that one only', async () => {
    const server = await TestServer.start();
    const tabs = await openMany(2, server);
    const [host, other] = tabs as [OpenTab, OpenTab];
    host.client.close();
    expect(host.client.state).toMatchObject({ status: 'closed', code: 'closed' });
    expect(await roomOf(other.client).request('ask', 1)).toBe(1);
    await host.client.connect();
    expect(await roomOf(host.client).request('ask', 2)).toBe(2);
    expect(server.sessions.items).toHaveLength(1);
    other.client.close();
    await condition('the other one has it', () => hosts(host));
    host.client.close();
    await server.ended.count(1);
    expect(server.ended.items).toMatchObject([{ code: 'closed' }]);
  });

  it('ends also where all tabs are closed before another one has taken over', async () => {
    const server = await TestServer.start();
    const tabs = await openMany(3, server);
    for (const { tab } of tabs) {
      tab.close();
      // Its last words are heard; the lock is not had yet.
      await new Promise<void>((resolve) => setImmediate(resolve));
      expect(tabs.slice(1).some(hosts)).toBe(false);
    }
    await server.ended.count(1);
    expect(server.ended.items).toMatchObject([{ code: 'closed' }]);
  });

  it('that the server ends is over for all of them', async () => {
    const server = await TestServer.start();
    const tabs = await openMany(3, server);
    await server.realtime.user('ann').kick('bye');
    await Promise.all(tabs.map(({ client }) => statesOf(client).find(({ status }) => status === 'closed')));
    expect(tabs.map(({ client }) => client.state)).toMatchObject(tabs.map(() => ({ code: 'kicked' })));
  });

  it('asks the tab that has it for credentials, and the next one when that is gone', async () => {
    const server = await TestServer.start();
    const origin = new FakeOrigin();
    const asked: string[] = [];
    const auth = (name: string) => () => {
      asked.push(name);
      return { user: 'ann' };
    };
    const first = open(origin, server, { auth: auth('first') });
    await isOpen(first);
    const second = open(origin, server, { auth: auth('second') });
    await isOpen(second);
    await second.client.reauthenticate();
    first.tab.close();
    await condition('the next one is the host', () => hosts(second));
    expect(await roomOf(second.client).request('ask', 1)).toBe(1);
    expect(asked).toEqual(['first', 'second', 'second']);
    expect(server.sessions.items).toHaveLength(1);
  });

  it('is used over the transport that any of the tabs asks for', async () => {
    const server = await TestServer.start();
    const tabs = await openMany(2, server);
    const [host, other] = tabs as [OpenTab, OpenTab];
    await other.client.use('poll');
    expect(host.client.diagnose().transport).toBe('poll');
    expect(other.client.diagnose().transport).toBe('poll');
  });

  it('is not touched by what makes no sense on the channel of the tabs', async () => {
    const server = await TestServer.start();
    const origin = new FakeOrigin();
    const [first, second] = [open(origin, server), open(origin, server)];
    await Promise.all([isOpen(first), isOpen(second)]);
    for (const message of [null, 1, 'x', [], {}, { kind: 'up', from: 'x' }, { kind: 'toString', from: 'x', host: 'x' }])
      origin.shout(message);
    origin.shout({ kind: 'up', from: 'stranger', life: 'x', n: 0, frames: ['[18]'] });
    origin.shout({ kind: 'down', host: 'stranger', news: [[null, ['lost', 'x']]] });
    origin.shout({ kind: 'join', from: 'x', subs: [[1, 2, 3]] });
    expect(await roomOf(second.client).request('ask', 1)).toBe(1);
    expect(server.sessions.items).toHaveLength(1);
  });

  it('streams an answer to the tab that asked, and stops when that is gone', async () => {
    const server = await TestServer.start();
    const tabs = await openMany(2, server);
    const [, other] = tabs as [OpenTab, OpenTab];
    const parts: number[] = [];
    const stream = roomOf(other.client).iterate('count', { to: 300 });
    for await (const part of stream) parts.push(part);
    expect(parts).toEqual(Array.from({ length: 300 }, (_, n) => n + 1));
    const large = 'x'.repeat(200_000);
    expect(await roomOf(other.client).request('ask', large)).toBe(large);
    const bytes = new Uint8Array([1, 2, 250]);
    expect(await roomOf(other.client).request('ask', { bytes })).toEqual({ bytes });
  });
});

it('without locks each tab has a session of its own', async () => {
  const server = await TestServer.start();
  const clients = [connect(server, { share: true }), connect(server, { share: true })];
  await Promise.all(clients.map((client) => client.connect()));
  expect(server.realtime.stats().sessions).toBe(2);
  expect(clients.map((client) => client.diagnose().sharing)).toEqual([null, null]);
});
