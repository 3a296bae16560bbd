/** One client of the application world: the shipped session and channel cores, with subscribers and calls that are checked. */
import { type CallOptions, ClientChannels, ClientSession, type RunnelError, type Transport } from '@runnel/protocol';
import { type Random, VirtualClient, type VirtualNetwork, type VirtualTime } from '@runnel/protocol/testing';
import { hasPresence } from './app-contract.ts';
import type { AppRecord } from './app-record.ts';
import { Attendee } from './attendee.ts';
import type { Coverage } from './coverage.ts';
import type { EventLog } from './event-log.ts';
import { StreamReader } from './stream-reader.ts';
import { SubscriberView } from './subscriber-view.ts';
import { check } from './violation.ts';

/** How long a call may take, ms. */
const CALL_MS = [2_000, 15_000, 60_000] as const;
/** What a call may reject with in this world. */
const CODES: ReadonlySet<string> = new Set([
  'timeout',
  'canceled',
  'indeterminate',
  'handler_failed',
  'broker_failed',
  'queue_full',
  'limit_reached',
  'disconnected',
]);

type Asked = Omit<CallOptions, 'timeoutMs' | 'settle'>;
type Settle = (error: RunnelError | null, data: unknown) => void;

/** What a party needs of the world that it is in. */
export interface AppPartyWorld {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly coverage: Coverage;
  readonly log: EventLog;
  readonly record: AppRecord;
  readonly network: VirtualNetwork;
  readonly transports: readonly Transport[];
  readonly healed: boolean;
  readonly newId: () => string;
}

export class AppParty {
  readonly name: string;
  readonly client: VirtualClient;
  readonly channels: ClientChannels;
  readonly views = new Map<string, SubscriberView>();
  /** Those who are present, or were, by channel. */
  readonly attendees = new Map<string, Attendee>();
  readonly #world: AppPartyWorld;
  /** Calls that were not settled yet. */
  open = 0;
  over = false;
  #serial = 0;

  constructor(world: AppPartyWorld, name: string) {
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

  die(): void {
    this.over = true;
    this.client.die();
  }

  /** Subscribes a channel, or unsubscribes it. */
  toggle(channel: string): void {
    const known = this.views.get(channel);
    if (known !== undefined) {
      this.views.delete(channel);
      this.attendees.get(channel)?.show(null);
      this.#world.coverage.saw('unsubscribed');
      this.client.input(() => {
        known.closed = true;
        this.channels.unsubscribe(channel);
      });
      return;
    }
    const { record, coverage, random } = this.#world;
    const view = new SubscriberView({
      ...{ channel, coverage, truth: record.truth },
      position: () => this.channels.position(channel),
      onSubscribed: () => this.attendees.get(channel)?.handleSubscribed(),
    });
    this.views.set(channel, view);
    const options = random.chance(0.3) ? { rewind: random.int(1, 60) } : {};
    this.client.input(() => this.channels.subscribe(channel, options, view));
  }

  /** Enters a channel that it follows, shows other data there, or leaves. */
  appear(channel: string): void {
    if (!this.views.has(channel) || !hasPresence(channel)) return;
    const attendee = this.attendees.get(channel) ?? this.#newAttendee(channel);
    this.attendees.set(channel, attendee);
    attendee.show(this.#world.random.chance(0.3) ? null : this.#text());
  }

  #newAttendee(channel: string): Attendee {
    const { time, coverage } = this.#world;
    return new Attendee({
      ask: (name, data, settle) =>
        this.#call({ channel, name, data: JSON.stringify(data) }, (error) => {
          if (error === null) coverage.saw(name === '$enter' ? 'entered' : 'left');
          settle(error !== null);
        }),
      after: (ms, run) => void time.after(ms, run),
    });
  }

  publish(channel: string): void {
    const text = this.#text();
    this.#call({ channel, name: 'message', data: JSON.stringify(text), idemKey: `key-${text}` }, (error) => {
      const { coverage, record } = this.#world;
      if (error !== null)
        return coverage.saw(error.code === 'indeterminate' ? 'publish indeterminate' : 'publish failed');
      coverage.saw('published');
      record.truth.answered(text);
    });
  }

  /** Sends what may be lost, and comes to nobody twice. */
  whisper(channel: string): void {
    const text = this.#text();
    this.client.input(() => this.channels.sendVolatile(channel, 'typing', JSON.stringify(text)));
  }

  /** `again` is idempotent: nothing leaves it undecided but the end of the client, and that of a node which ran it for a session that had moved on (PROTOCOL §12.2). */
  request(name: 'echo' | 'again'): void {
    const text = this.#text();
    this.#call({ channel: 'room/a', name, data: JSON.stringify(text) }, (error, data) => {
      const { coverage, record } = this.#world;
      if (error === null) {
        coverage.saw('answered');
        check(data === text, 8, () => `the request of ${text} was answered ${data}`);
        check(record.hasRun(text), 8, () => `the request of ${text} was answered, and never ran`);
      } else if (error.code !== 'indeterminate') coverage.saw('request failed');
      else {
        const over =
          this.client.session.state.status === 'closed' || error.message === 'the node that ran it does not answer';
        check(name === 'echo' || over, 8, () => `${name} of ${text} may be asked again, and is ${error.code}`);
        coverage.saw('request indeterminate');
      }
    });
  }

  /** Asks for a streamed answer, which it reads in its own time. */
  stream(): void {
    const { random, coverage, time } = this.#world;
    const text = `${this.#text()}/${random.int(0, 30)}`;
    const credit = random.int(1, 8);
    const reader = new StreamReader({
      text,
      credit,
      random,
      coverage,
      mayPause: () => !this.#world.healed,
      allow: (parts) => this.client.input((_session, now) => this.channels.allow(call(), parts, now)),
      after: (ms, run) => void time.after(ms, run),
    });
    const stream = { credit, onPart: (data: unknown) => reader.part(data) };
    const call = this.#call({ channel: 'room/b', name: 'count', data: JSON.stringify(text), stream }, (error, data) =>
      reader.end(error?.code ?? null, data),
    );
  }

  #text(): string {
    this.#serial += 1;
    return `${this.name}.${this.#serial}`;
  }

  /** Returns what gives the call once it was made. */
  #call(asked: Asked, settle: Settle): () => ReturnType<ClientChannels['call']> {
    const { random, log, coverage, time } = this.#world;
    const { name, data } = asked;
    let settled: string | null = null;
    let call: ReturnType<ClientChannels['call']> | undefined;
    const made = (): ReturnType<ClientChannels['call']> => {
      if (call === undefined) throw new Error(`${name} ${data} was not made yet`);
      return call;
    };
    const settleOnce: Settle = (error, answer) => {
      const outcome = error === null ? 'done' : error.code;
      log.add(this.name, `${name} ${data}`, outcome);
      check(settled === null, 8, () => `${name} ${data} was settled twice: ${settled}, ${outcome}`);
      check(error === null || CODES.has(error.code), 8, () => `${name} ${data} rejects with ${outcome}`);
      settled = outcome;
      this.open -= 1;
      settle(error, answer);
    };
    this.open += 1;
    this.client.input((_session, now) => {
      call = this.channels.call({ ...asked, timeoutMs: random.pick(CALL_MS), settle: settleOnce }, now);
      if (!random.chance(0.05)) return;
      coverage.saw('canceled');
      time.after(random.int(0, 3_000), () => this.client.input(() => this.channels.cancel(made())));
    });
    return made;
  }
}
