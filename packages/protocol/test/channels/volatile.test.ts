import { describe, expect, it } from 'vitest';
import { ClientChannels } from '../../src/channels/client-channels.ts';
import { ClientSession } from '../../src/session/client/client-session.ts';
import { FAIR, Random, VirtualClient, VirtualNetwork, VirtualServer, VirtualTime } from '../../src/testing/index.ts';
import type { Transport } from '../../src/wire/frames.ts';

const DELAY_MS = 10;

/** A client with channels at a server that notes the volatile frames it hears. Each send carries its number. */
class World {
  readonly time = new VirtualTime();
  readonly heard: unknown[] = [];
  readonly network: VirtualNetwork;
  readonly client: VirtualClient;
  readonly #channels = new ClientChannels({
    random: () => 0.5,
    onState: () => {},
    onAttempt: () => {},
    onRefresh: () => {},
  });
  #sent = 0;

  constructor(transports: readonly Transport[] = ['websocket', 'stream', 'poll']) {
    const { time } = this;
    let ids = 0;
    const newId = () => `id${++ids}`;
    const server = new VirtualServer({
      time,
      newId,
      authMs: () => 1,
      app: {
        created: (_session, _subs, settled) => settled(),
        frame: (_session, frame) => frame[0] === 9 && this.heard.push(frame[3]),
        confirmed: () => {},
        resumed: () => {},
        reachable: () => {},
        ended: () => {},
      },
    });
    const random = new Random(1);
    this.network = new VirtualNetwork({ time, random, server, weather: { ...FAIR, delay: () => DELAY_MS } });
    const session = new ClientSession({
      app: this.#channels,
      transports,
      newId,
      random: () => 0.5,
      hasCredentials: false,
    });
    this.#channels.bind(session);
    this.client = new VirtualClient({ network: this.network, session, above: this.#channels });
  }

  start(): void {
    this.client.input((session, now) => session.start(now));
  }

  use(transport: Transport): void {
    this.client.input((session, now) => session.use(transport, now));
  }

  /** Sends one each millisecond. */
  send(count: number): void {
    for (let i = 0; i < count; i += 1) {
      this.client.input(() => this.#channels.sendVolatile('room', 'typing', String(this.#sent)));
      this.#sent += 1;
      this.time.run(1);
    }
  }

  get sent(): number[] {
    return Array.from({ length: this.#sent }, (_, number) => number);
  }
}

describe('what may be lost', () => {
  it('is not, on a fair network, while the session connects and moves from link to link', () => {
    const world = new World();
    world.start();
    world.send(200);
    expect(world.client.session.transport).toBe('websocket');
    for (const transport of ['poll', 'stream', 'websocket', 'stream', 'poll', 'websocket'] as const) {
      world.use(transport);
      world.send(200);
      expect(world.client.session.transport).toBe(transport);
    }
    world.time.run(1_000);
    expect(world.heard).toEqual(world.sent);
  });

  it('is lost while the session waits for the network to come back', () => {
    const world = new World(['poll']);
    world.start();
    world.send(50);
    world.time.run(1_000);
    world.network.weather.http = 'refused';
    world.network.cutAll();
    world.time.run(3_000);
    world.send(100);
    world.time.run(30_000);
    world.network.weather.http = 'open';
    world.time.run(30_000);
    expect(world.client.session.transport).toBe('poll');
    expect(world.heard.slice(0, 50)).toEqual(world.sent.slice(0, 50));
    expect(world.heard.length).toBeLessThan(150);
    const all = world.heard.length;
    world.send(1);
    world.time.run(1_000);
    expect(world.heard.slice(all)).toEqual([150]);
  });

  it('is lost before the client connects', () => {
    const world = new World();
    world.send(1);
    world.start();
    world.time.run(5_000);
    expect(world.heard).toEqual([]);
  });
});
