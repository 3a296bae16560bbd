/** Ten thousand numbered messages flow each way while the session changes its transport, and while its links are destroyed. */
import type { Transport } from '@runnel/client';
import { Random } from '@runnel/protocol/testing';
import { expect, it } from 'vitest';
import { connect, IN_ORDER, OrderedLog, startProxy, type TcpProxy, type TestClient, TestServer } from './harness.ts';

const MESSAGES = 10_000;
const SWITCHES = 105;
/** Messages that may be on their way in one direction. */
const WINDOW = 200;
const TRANSPORTS: readonly Transport[] = ['websocket', 'stream', 'poll'];
const TEST_MS = 60_000;

/** How far the traffic may go: a little further with each switch, so that it lasts as long as they do. */
class Allowance {
  #allowed = 0;
  #raised: () => void = () => {};

  raise(to: number): void {
    this.#allowed = Math.max(this.#allowed, to);
    this.#raised();
  }

  async reaches(n: number): Promise<void> {
    while (n >= this.#allowed) {
      await new Promise<void>((resolve) => {
        this.#raised = resolve;
      });
    }
  }
}

/** What numbered traffic there was, and over what. */
class Traffic {
  readonly up = new OrderedLog();
  readonly down = new OrderedLog();
  /** By what carried the session when they came: messages up, and messages down. */
  readonly carriedUp = new Map<Transport, number>();
  readonly carriedDown = new Map<Transport, number>();
  readonly #server: TestServer;
  readonly #client: TestClient;
  readonly #allowances = { up: new Allowance(), down: new Allowance() };

  constructor(server: TestServer, client: TestClient) {
    this.#server = server;
    this.#client = client;
    server.onTick = ({ data, session }) => {
      this.up.add(data);
      increment(this.carriedUp, session.transport);
    };
    this.#channel.on('tick', (n) => {
      this.down.add(n);
      const { transport } = client.diagnose();
      if (transport !== null) increment(this.carriedDown, transport);
    });
  }

  get #channel() {
    return this.#client.channel('live/:id', { id: 'numbers' });
  }

  allow(count: number): void {
    this.#allowances.up.raise(count);
    this.#allowances.down.raise(count);
  }

  async run(): Promise<void> {
    await this.#channel.ready();
    await Promise.all([this.#runUp(), this.#runDown()]);
    await Promise.all([this.up.reach(MESSAGES), this.down.reach(MESSAGES)]);
  }

  /** Publishes; each has an answer. */
  async #runUp(): Promise<void> {
    const answers: Promise<void>[] = [];
    for (let n = 0; n < MESSAGES; n += 1) {
      await this.#allowances.up.reaches(n);
      if (n >= WINDOW) await answers[n - WINDOW];
      answers.push(this.#channel.publish('tick', n, { timeoutMs: TEST_MS }));
    }
    await Promise.all(answers);
  }

  async #runDown(): Promise<void> {
    const channel = this.#server.realtime.channel('live/:id', { id: 'numbers' });
    for (let n = 0; n < MESSAGES; n += 1) {
      await this.#allowances.down.reaches(n);
      await this.down.reach(n - WINDOW);
      await channel.broadcast('tick', n);
    }
  }
}

function increment(counts: Map<Transport, number>, transport: Transport): void {
  counts.set(transport, (counts.get(transport) ?? 0) + 1);
}

interface World {
  readonly server: TestServer;
  readonly proxy: TcpProxy;
  readonly client: TestClient;
  readonly traffic: Traffic;
  /** What carried the session, one after another, as the client saw it. */
  readonly carriers: Transport[];
}

async function world(random: () => number): Promise<World> {
  const server = await TestServer.start();
  const proxy = await startProxy(server);
  const client = connect(proxy, { environment: { random } });
  const carriers: Transport[] = [];
  client.onState((state) => {
    if (state.status === 'open' && state.transport !== carriers.at(-1)) carriers.push(state.transport);
  });
  await client.connect();
  return { server, proxy, client, traffic: new Traffic(server, client), carriers };
}

/** Numbers came once and in order, over the one session and all of its transports. */
function expectWhole({ server, traffic, carriers }: World): void {
  expect(traffic.up.disorder(MESSAGES)).toEqual(IN_ORDER);
  expect(traffic.down.disorder(MESSAGES)).toEqual(IN_ORDER);
  expect(carriers.length - 1).toBeGreaterThanOrEqual(100);
  for (const transport of TRANSPORTS) {
    expect([transport, traffic.carriedUp.get(transport)]).toEqual([transport, expect.any(Number)]);
    expect([transport, traffic.carriedDown.get(transport)]).toEqual([transport, expect.any(Number)]);
  }
  expect(server.sessions.items).toHaveLength(1);
  expect(server.ended.items).toEqual([]);
}

it(
  'loses, repeats and reorders nothing while it switches among the transports',
  async () => {
    const here = await world(() => 0.05);
    const done = here.traffic.run();
    for (let n = 1; n <= SWITCHES; n += 1) {
      here.traffic.allow(Math.ceil((MESSAGES * n) / SWITCHES));
      await here.client.use(TRANSPORTS[n % TRANSPORTS.length] as Transport);
    }
    await done;
    expectWhole(here);
  },
  TEST_MS,
);

it.each([1, 2, 3])(
  'loses, repeats and reorders nothing while its links are destroyed besides, as chance %i has it',
  async (seed) => {
    const random = new Random(seed);
    // Links live for moments here. The pauses that this would bring are cut short.
    const here = await world(() => random.next() / 100);
    const { proxy, client, traffic, carriers } = here;
    const done = traffic.run();
    let cuts = 0;
    const cut = (): void => {
      const connections = [...proxy.connections];
      if (connections.length === 0) return;
      cuts += 1;
      if (random.chance(0.3)) proxy.cutAll();
      else random.pick(connections).cut();
    };
    while (carriers.length <= SWITCHES) {
      traffic.allow(Math.ceil((MESSAGES * Math.min(carriers.length, SWITCHES)) / SWITCHES));
      const last = carriers.at(-1);
      const next = random.pick(TRANSPORTS.filter((transport) => transport !== last));
      if (random.chance(0.2)) cut();
      const switched = client.use(next, { timeoutMs: 500 }).catch(({ code }: { code: string }) => {
        expect(code).toBe('transport_unavailable');
      });
      // Somewhere between the wish and its fulfilment.
      for (let turn = random.int(0, 12); turn > 0; turn -= 1) await new Promise((resolve) => setImmediate(resolve));
      if (random.chance(0.5)) cut();
      await switched;
    }
    traffic.allow(MESSAGES);
    await done;
    expectWhole(here);
    expect(cuts).toBeGreaterThan(30);
    expect(client.diagnose().counts.resumes).toBeGreaterThanOrEqual(100);
  },
  TEST_MS,
);
