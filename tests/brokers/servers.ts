/** Servers that share a broker, and clients of theirs. */
import { type Client, createClient } from '@runnel/client';
import { channel, defineContract, relay, volatile } from '@runnel/protocol';
import { type Broker, createServer, type RunnelServer } from '@runnel/server';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { Collector } from '../support/collector.ts';
import { condition } from '../support/condition.ts';
import { MortalHttpServer } from '../support/mortal-http-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { Junction } from './junction.ts';
import type { ServerProcess } from './programs/server-process.ts';
import type { TroubledStore } from './trouble.ts';

const channels = defineContract({
  'room/:roomId': channel({
    events: { message: z.string(), typing: volatile(z.string()) },
    publish: { message: relay, typing: relay },
    history: { size: 1_000, ttl: '1h' },
  }),
  'live/:id': channel({ events: { tick: z.number() } }),
});
type Channels = typeof channels;
interface Contract extends Channels {}
const contract: Contract = channels;

interface Node {
  readonly realtime: RunnelServer<Contract, { readonly id: string }>;
  readonly broker: Broker;
  readonly http: MortalHttpServer;
}

async function startNode(broker: Broker): Promise<Node> {
  const realtime = createServer<Contract, { readonly id: string }>({
    contract,
    broker,
    secret: 'the same on every node',
    authenticate: ({ auth }) => ({ id: String(auth) }),
    onError: () => {},
  });
  realtime.handle('room/:roomId', { open: true });
  realtime.handle('live/:id', { open: true });
  const http = new MortalHttpServer();
  await http.listen((server) => realtime.attach(server));
  onTestFinished(async () => {
    await realtime.close({ timeoutMs: 0 });
    await http.close();
  });
  return { realtime, broker, http };
}

function connect(port: number, auth: string): Client<Contract> {
  const client = createClient<Contract>(`http://127.0.0.1:${port}/realtime`, {
    auth,
    environment: { random: () => 0.05 },
  });
  onTestFinished(() => client.close());
  return client;
}

const lobbyOf = (client: Client<Contract>) => client.channel('room/:roomId', { roomId: 'lobby' });

/** Messages of the lobby, as they come to a client that is subscribed. */
async function heardBy(client: Client<Contract>): Promise<Collector<string>> {
  const room = lobbyOf(client);
  const heard = new Collector<string>();
  room.on('message', (text) => heard.push(text));
  await room.ready();
  return heard;
}

const numbered = (from: number, count: number): string[] => Array.from({ length: count }, (_, i) => String(from + i));

export function describeServers(name: string, { startServer, connect: connectBroker, durable }: TroubledStore): void {
  describe(`two servers on ${name}`, () => {
    let store: ServerProcess;
    beforeEach(async () => {
      store = await startServer();
      onTestFinished(() => store.stop());
    });
    const start = (port = store.port) => startNode(connectBroker(port, { timeoutMs: 5_000 }));
    const say = (node: Node, text: string) =>
      node.realtime.channel('room/:roomId', { roomId: 'lobby' }).broadcast('message', text);

    it('bring what is published on one to the subscribers of both', async () => {
      const [one, two] = [await start(), await start()];
      const [ann, bob] = [connect(one.http.port, 'ann'), connect(two.http.port, 'bob')];
      const [atAnn, atBob] = [await heardBy(ann), await heardBy(bob)];
      for (const text of numbered(0, 20)) await lobbyOf(ann).publish('message', text);
      await say(two, 'of the server');
      for (const heard of [atAnn, atBob]) {
        await heard.count(21);
        expect(heard.items).toEqual([...numbered(0, 20), 'of the server']);
      }
      const typing = new Collector<string>();
      lobbyOf(ann).on('typing', typing.push);
      await condition('somebody types', () => {
        lobbyOf(bob).send('typing', 'bob');
        return typing.items.length > 0;
      });
    });

    it('give a client that moves from one to the other what it has missed, once', async () => {
      const [one, two] = [await start(), await start()];
      const path = await Junction.start(one.http.port);
      onTestFinished(() => path.close());
      const client = connect(path.port, 'ann');
      const heard = await heardBy(client);
      const room = lobbyOf(client);
      const live = client.channel('live/:id', { id: 'x' });
      const ticks = new Collector<number>();
      live.on('tick', ticks.push);
      await live.ready();
      const gaps: unknown[] = [];
      for (const channel of [room, live]) channel.onGap((gap) => gaps.push(gap));
      for (const text of numbered(0, 5)) await say(one, text);
      await heard.count(5);
      await one.http.crash();
      for (const text of numbered(5, 300)) await say(two, text);
      await two.realtime.channel('live/:id', { id: 'x' }).broadcast('tick', 1);
      path.lead(two.http.port);
      await heard.count(305);
      await say(two, 'last');
      await heard.count(306);
      expect(heard.items).toEqual([...numbered(0, 305), 'last']);
      // The session was handed over, so what has no history is there as well.
      expect((await ticks.count(1))[0]).toBe(1);
      expect(gaps).toEqual([]);
      expect(client.diagnose().counts.resumes).toBeGreaterThan(0);
    });

    it('have a message brought once to a server with many sessions', async () => {
      const path = await Junction.start(store.port);
      onTestFinished(() => path.close());
      const [one, two] = [await start(path.port), await start()];
      const all = await Promise.all(Array.from({ length: 10 }, (_, i) => heardBy(connect(one.http.port, `user${i}`))));
      await say(two, 'unmistakable');
      for (const heard of all) await heard.count(1);
      expect(path.count('unmistakable')).toBe(1);
    });

    it('heal by themselves where the broker was out of reach of one', async () => {
      const path = await TcpProxy.start(store.port);
      onTestFinished(() => path.close());
      const [cut, other] = [await start(path.port), await start()];
      const ann = connect(cut.http.port, 'ann');
      const [atAnn, atBob] = [await heardBy(ann), await heardBy(connect(other.http.port, 'bob'))];
      await say(other, 'first');
      await atAnn.count(1);
      path.sever();
      await condition('the broker is lost', async () => {
        const failure = await lobbyOf(ann)
          .publish('message', 'unsaid')
          .then(
            () => null,
            (error: { readonly code: string }) => error.code,
          );
        return failure === 'broker_failed';
      });
      const before = atBob.items.length;
      // Nothing follows on the last of them.
      for (const text of numbered(0, 600)) await say(other, text);
      path.refusing = false;
      await atAnn.until((items) => items.at(-1) === '599');
      expect(atAnn.items.slice(before)).toEqual(numbered(0, 600));
      expect(atAnn.items).toEqual(atBob.items);
      await lobbyOf(ann).publish('message', 'again');
      await atBob.find((text) => text === 'again');
    });

    it('go on after the broker was restarted, and say what is lost', async () => {
      const [one, two] = [await start(), await start()];
      const client = connect(one.http.port, 'ann');
      const heard = await heardBy(client);
      const room = lobbyOf(client);
      const recoveries = new Collector<boolean | null>();
      room.onState((state) => {
        if (state.status === 'subscribed') recoveries.push(state.recovered);
      });
      await say(two, 'before');
      await heard.count(1);
      await store.kill();
      await store.start();
      await condition('the broker takes messages', () =>
        say(two, 'after').then(
          () => true,
          () => false,
        ),
      );
      await heard.find((text) => text === 'after');
      if (durable) expect(recoveries.items).not.toContain(false);
      else await recoveries.find((recovered) => recovered === false);
      expect(heard.items[0]).toBe('before');
    });
  });
}
