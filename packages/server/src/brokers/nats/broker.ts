import type { Msg } from '@nats-io/transport-node';
import type { Position } from '@runnel/protocol';
import { Backoff } from '../backoff.ts';
import type {
  Broker,
  BrokerListener,
  BrokerPublishOptions,
  BrokerWatcher,
  HistoryBounds,
  LogRead,
  NewEntry,
  ReadQuery,
} from '../broker.ts';
import { entryOfText, entryText } from '../entry-text.ts';
import { escapedName } from '../escaped-name.ts';
import { Followers } from '../followers.ts';
import { LeasedNodes } from '../leases.ts';
import { LinkKeeper } from '../link-keeper.ts';
import type { BrokerNodes } from '../nodes.ts';
import { NatsLeases } from './leases.ts';
import { type NatsConnectionOptions, NatsLink } from './link.ts';
import { readLog } from './log-reader.ts';
import { NatsStreams } from './streams.ts';
import { NatsSubjects } from './subjects.ts';

export interface NatsBrokerOptions {
  /** `nats://host:port`, one or several of a cluster. */
  readonly servers: string | readonly string[];
  /** What all subjects and streams begin with: brokers that share it share their channels. Default: `runnel`. */
  readonly prefix?: string | undefined;
  /** How the connection is made, beside `servers`: credentials, TLS. */
  readonly connection?: NatsConnectionOptions | undefined;
  /** Where messages are kept. Default: `file`. */
  readonly storage?: 'file' | 'memory' | undefined;
  /** Servers that keep each stream. Default: 1. */
  readonly replicas?: number | undefined;
  /** How long a call may go unanswered before it fails and the connection is given up for another, ms. Default: 5,000. */
  readonly timeoutMs?: number | undefined;
  /** How long an idempotency key is remembered, ms. Default: as `limits.dedupMs`, 5 minutes. */
  readonly dedupMs?: number | undefined;
  /** How long a node counts as alive that is not heard of, ms. Default: 10,000. */
  readonly leaseMs?: number | undefined;
  /** Calls that may wait for an answer. Default: 10,000. */
  readonly pendingMax?: number | undefined;
  /** What they may carry together, UTF-16 units. Default: 64 Mi. */
  readonly pendingLengthMax?: number | undefined;
}

/** Channels of which the bounds are remembered beside those that are followed. */
const BOUNDS_MAX = 10_000;

/**
 * A broker on NATS 2.9.10 or later with JetStream. Needs the package `@nats-io/transport-node`. It connects at once and goes on trying until
 * it is closed; calls before the first attempt has ended wait for it. docs/BROKERS.md says what it promises.
 *
 * @throws TypeError for a prefix that cannot be
 */
export function natsBroker(options: NatsBrokerOptions): Broker {
  return new NatsBroker(options);
}

class NatsBroker implements Broker {
  readonly nodes: BrokerNodes;
  readonly #subjects: NatsSubjects;
  readonly #streams: NatsStreams;
  readonly #links: LinkKeeper<NatsLink>;
  readonly #followers: Followers;
  readonly #leases: NatsLeases;
  readonly #nodes: LeasedNodes;
  /** Channel by topic, of those that are followed. */
  readonly #channels = new Map<string, string>();
  /** The bounds of channels, as they were said last; least recently said first. */
  readonly #bounds = new Map<string, HistoryBounds | null>();

  constructor(options: NatsBrokerOptions) {
    const { servers, prefix = 'runnel', connection = {}, storage = 'file', replicas = 1 } = options;
    const { timeoutMs = 5_000, dedupMs = 300_000, leaseMs = 10_000 } = options;
    const { pendingMax = 10_000, pendingLengthMax = 67_108_864 } = options;
    this.#subjects = new NatsSubjects(prefix);
    this.#streams = new NatsStreams({ subjects: this.#subjects, storage, replicas, dedupMs, leaseMs });
    this.#followers = new Followers({
      open: (channel) => {
        const topic = this.#subjects.live(channel);
        this.#channels.set(topic, channel);
        return this.#links.subscribe(topic);
      },
      close: (channel) => {
        const topic = this.#subjects.live(channel);
        this.#channels.delete(topic);
        this.#links.unsubscribe(topic);
      },
    });
    this.#links = new LinkKeeper<NatsLink>({
      server: 'NATS',
      createLink: (events) =>
        new NatsLink({
          ...{ ...events, connection, timeoutMs },
          servers: typeof servers === 'string' ? [servers] : servers,
          onMessage: (topic, message) => this.#hear(topic, message),
        }),
      backoff: new Backoff({ minMs: 50, maxMs: 2_000 }),
      timeoutMs,
      callsMax: pendingMax,
      lengthMax: pendingLengthMax,
      topics: () => [
        ...Array.from(this.#followers.channels, (channel) => this.#subjects.live(channel)),
        ...this.#leases.inboxes,
      ],
    });
    this.#leases = new NatsLeases({ links: this.#links, streams: this.#streams, subjects: this.#subjects });
    this.#nodes = new LeasedNodes(this.#leases, leaseMs);
    this.nodes = this.#nodes;
  }

  publish(channel: string, entry: NewEntry, { history, idempotencyKey }: BrokerPublishOptions): Promise<Position> {
    this.#learn(channel, history);
    const text = entryText(entry);
    // Keys are the stream's, so each goes with its channel.
    const key = idempotencyKey === undefined ? null : `${escapedName(channel)} ${escapedName(idempotencyKey)}`;
    return this.#onLog(
      history,
      async (link, epoch) => {
        const headers = key === null ? {} : { 'Nats-Msg-Id': key };
        return { epoch, offset: await link.publish(this.#subjects.log(history, channel), text, headers) };
      },
      text.length,
    );
  }

  send(channel: string, entry: NewEntry): void {
    this.#links.tell((link) => link.tell(this.#subjects.volatile(channel), entryText(entry)));
  }

  read(channel: string, query: ReadQuery): Promise<LogRead> {
    const bounds = query.history === undefined ? (this.#bounds.get(channel) ?? null) : query.history;
    this.#learn(channel, bounds);
    const source = { stream: this.#subjects.logStream(bounds), subject: this.#subjects.log(bounds, channel), bounds };
    return this.#onLog(bounds, (link) => readLog(link, source, query));
  }

  async heads(channels: readonly string[]): Promise<ReadonlyMap<string, Position>> {
    const heads = new Map<string, Position>();
    await Promise.all(
      channels.map(async (channel) => {
        const bounds = this.#bounds.get(channel) ?? null;
        const position = await this.#onLog(bounds, async (link, epoch) => {
          const query = { last_by_subj: this.#subjects.log(bounds, channel) };
          const newest = await link.get(this.#subjects.logStream(bounds), query);
          return newest === null ? null : { epoch, offset: Number(newest.headers?.get('Nats-Sequence')) };
        });
        if (position !== null) heads.set(channel, position);
      }),
    );
    return heads;
  }

  subscribe(channel: string, listener: BrokerListener): Promise<void> {
    return this.#followers.add(channel, listener);
  }

  unsubscribe(channel: string, listener: BrokerListener): void {
    this.#followers.remove(channel, listener);
  }

  watch(watcher: BrokerWatcher): () => void {
    return this.#links.watchers.add(watcher);
  }

  async close(): Promise<void> {
    await this.#nodes.close();
    this.#followers.clear();
    this.#channels.clear();
    this.#links.close();
  }

  #onLog<T>(bounds: HistoryBounds | null, run: (link: NatsLink, epoch: string) => Promise<T>, length = 0): Promise<T> {
    return this.#links.call(
      (link) =>
        this.#streams.withStream(link, this.#subjects.logStream(bounds), async () =>
          run(link, await this.#streams.openLog(link, bounds)),
        ),
      length,
    );
  }

  #learn(channel: string, bounds: HistoryBounds | null): void {
    this.#bounds.delete(channel);
    this.#bounds.set(channel, bounds);
    if (this.#bounds.size <= BOUNDS_MAX + 2 * this.#channels.size) return;
    for (const [known, its] of this.#bounds) {
      this.#bounds.delete(known);
      if (!this.#channels.has(this.#subjects.live(known))) return;
      this.#bounds.set(known, its);
    }
  }

  #hear(topic: string, message: Msg): void {
    const channel = this.#channels.get(topic);
    if (channel === undefined) return this.#leases.hear(topic, message);
    const [kind, epoch = ''] = message.subject.slice(topic.length - 1).split('.');
    if (kind === 'volatile') return this.#followers.volatile(channel, entryOfText(message.string()));
    if (kind === 'presence') return this.#followers.presence(channel, this.#leases.announcementOf(message));
    const offset = Number(message.headers?.get('Nats-Sequence'));
    const prev = Number(message.headers?.get('Nats-Last-Sequence'));
    this.#followers.message(channel, { ...entryOfText(message.string()), offset, prev }, epoch);
  }
}
