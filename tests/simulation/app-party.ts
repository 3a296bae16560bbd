/** One client of the application world: the shipped session and channel cores, with subscribers and calls that are checked. */
import { type CallOptions, ClientChannels, ClientSession, type RunnelError } from '@runnel/protocol';
import { VirtualClient } from '@runnel/protocol/testing';
import type { AppWorld } from './app-world.ts';
import { SubscriberView } from './subscriber-view.ts';
import { check } from './violation.ts';

/** How long a call may take, ms. */
const CALL_MS = [2_000, 15_000, 60_000] as const;

export class AppParty {
  readonly name: string;
  readonly client: VirtualClient;
  readonly channels: ClientChannels;
  readonly views = new Map<string, SubscriberView>();
  readonly #world: AppWorld;
  /** Calls that were not settled yet. */
  open = 0;
  over = false;
  #serial = 0;

  constructor(world: AppWorld, name: string) {
    this.#world = world;
    this.name = name;
    const { log, coverage } = world;
    this.channels = new ClientChannels({
      random: world.random.next,
      onState: (state) => {
        log.add(name, 'state', state);
        if (state.status !== 'closed') return;
        check(this.over || state.code === 'kicked', 3, () => `${name} was closed: ${state.code} ${state.reason}`);
        this.over = true;
      },
      onAttempt: () => {},
      onRefresh: () => {},
    });
    const session = new ClientSession({
      app: this.channels,
      newId: world.newId,
      random: world.random.next,
      transports: world.transports,
      hasCredentials: true,
    });
    this.channels.bind(session);
    let sid: string | null = null;
    let gen = 0;
    this.client = new VirtualClient({
      network: world.network,
      session,
      credentials: () => name,
      above: this.channels,
      watch: {
        effect: (effect) => {
          log.add(name, '>', effect);
          if (session.sid !== null && sid !== null && session.sid !== sid) coverage.saw('loss');
          else if (session.gen > gen && session.gen > 1) coverage.saw('resume');
          sid = session.sid ?? sid;
          gen = session.gen;
        },
        line: (carrier, text) => log.add(name, `< ${carrier}`, text),
      },
    });
    this.client.input((started, now) => started.start(now));
  }

  /** Subscribes a channel, or unsubscribes it. */
  toggle(channel: string): void {
    const known = this.views.get(channel);
    if (known !== undefined) {
      this.views.delete(channel);
      this.#world.coverage.saw('unsubscribed');
      this.client.input(() => {
        known.closed = true;
        this.channels.unsubscribe(channel);
      });
      return;
    }
    const { truth, coverage, random } = this.#world;
    const view = new SubscriberView({ channel, truth, coverage, position: () => this.channels.position(channel) });
    this.views.set(channel, view);
    const options = random.chance(0.3) ? { rewind: random.int(1, 60) } : {};
    this.client.input(() => this.channels.subscribe(channel, options, view));
  }

  publish(channel: string): void {
    const text = this.#text();
    this.#call({ channel, name: 'message', data: JSON.stringify(text), idemKey: `key-${text}` }, (error) => {
      const { coverage, truth } = this.#world;
      if (error !== null)
        return coverage.saw(error.code === 'indeterminate' ? 'publish indeterminate' : 'publish failed');
      coverage.saw('published');
      truth.answered(text);
    });
  }

  request(channel: string): void {
    const text = this.#text();
    this.#call({ channel, name: 'echo', data: JSON.stringify(text) }, (error, data) => {
      const { coverage, runs } = this.#world;
      if (error !== null)
        return coverage.saw(error.code === 'indeterminate' ? 'request indeterminate' : 'request failed');
      coverage.saw('answered');
      check(data === text, 8, () => `the request of ${text} was answered ${data}`);
      check(runs.get(text) === 1, 8, () => `the request of ${text} was answered, and ran ${runs.get(text)} times`);
    });
  }

  #text(): string {
    this.#serial += 1;
    return `${this.name}.${this.#serial}`;
  }

  #call(
    options: Omit<CallOptions, 'timeoutMs' | 'settle'>,
    settle: (error: RunnelError | null, data: unknown) => void,
  ): void {
    const { random, log, coverage } = this.#world;
    let settled: string | null = null;
    this.open += 1;
    this.client.input((_session, now) => {
      const call = this.channels.call(
        {
          ...options,
          timeoutMs: random.pick(CALL_MS),
          settle: (error, data) => {
            const outcome = error === null ? 'done' : error.code;
            log.add(this.name, `${options.name} ${options.data}`, outcome);
            check(
              settled === null,
              8,
              () => `${options.name} ${options.data} was settled twice: ${settled}, ${outcome}`,
            );
            settled = outcome;
            this.open -= 1;
            settle(error, data);
          },
        },
        now,
      );
      if (!random.chance(0.05)) return;
      coverage.saw('canceled');
      this.#world.time.after(random.int(0, 3_000), () => this.client.input(() => this.channels.cancel(call)));
    });
  }
}
