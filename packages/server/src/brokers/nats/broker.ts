import type { Msg } from '@nats-io/transport-node';
import type { Position } from '@runnel/protocol';
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
import { LeasedNodes } from '../leases.ts';
import { DEDUP_MS, LEASE_MS, type LinkedBrokerOptions, LinkedChannels } from '../linked-channels.ts';
import { NatsLeases } from './leases.ts';
import { type NatsConnectionOptions, NatsLink } from './link.ts';
import { readLog } from './log-reader.ts';
import { NatsStreams } from './streams.ts';
import { NatsSubjects } from './subjects.ts';

export interface NatsBrokerOptions extends LinkedBrokerOptions {
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
  readonly nodes: LeasedNodes;
  readonly #subjects: NatsSubjects;
  readonly #streams: NatsStreams;
  readonly #channels: LinkedChannels<NatsLink>;
  readonly #leases: NatsLeases;
  /** The bounds of channels, as they were said last; least recently said first. */
  readonly #bounds = new Map<string, HistoryBounds | null>();

  constructor(options: NatsBrokerOptions) {
    const { servers, prefix = 'runnel', connection = {}, storage = 'file', replicas = 1 } = options;
    const { dedupMs = DEDUP_MS, leaseMs = LEASE_MS } = options;
    this.#subjects = new NatsSubjects(prefix);
    this.#streams = new NatsStreams({ subjects: this.#subjects, storage, replicas, dedupMs, leaseMs });
    this.#channels = new LinkedChannels<NatsLink>({
      ...options,
      server: 'NATS',
      createLink: (given) =>
        new NatsLink({
          ...{ ...given, connection },
          servers: typeof servers === 'string' ? [servers] : servers,
          onMessage: (topic, message) => this.#hear(topic, message),
        }),
      topicOf: (channel) => this.#subjects.live(channel),
      inboxes: () => this.#leases.inboxes,
    });
    const { links } = this.#channels;
    this.#leases = new NatsLeases({ links, streams: this.#streams, subjects: this.#subjects });
    this.nodes = new LeasedNodes(this.#leases, leaseMs);
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
    this.#channels.links.tell((link) => link.tell(this.#subjects.volatile(channel), entryText(entry)));
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
    return this.#channels.followers.add(channel, listener);
  }

  unsubscribe(channel: string, listener: BrokerListener): void {
    this.#channels.followers.remove(channel, listener);
  }

  watch(watcher: BrokerWatcher): () => void {
    return this.#channels.links.watchers.add(watcher);
  }

  async close(): Promise<void> {
    await this.nodes.close();
    this.#channels.close();
  }

  #onLog<T>(bounds: HistoryBounds | null, run: (link: NatsLink, epoch: string) => Promise<T>, length = 0): Promise<T> {
    return this.#channels.links.call(
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
      if (this.#channels.of(this.#subjects.live(known)) === undefined) return;
      this.#bounds.set(known, its);
    }
  }

  #hear(topic: string, message: Msg): void {
    const channel = this.#channels.of(topic);
    if (channel === undefined) return this.#leases.hear(topic, message);
    const { followers } = this.#channels;
    const [kind, epoch = ''] = message.subject.slice(topic.length - 1).split('.');
    if (kind === 'volatile') return followers.volatile(channel, entryOfText(message.string()));
    if (kind === 'presence') return followers.presence(channel, this.#leases.announcementOf(message));
    const offset = Number(message.headers?.get('Nats-Sequence'));
    const prev = Number(message.headers?.get('Nats-Last-Sequence'));
    followers.message(channel, { ...entryOfText(message.string()), offset, prev }, epoch);
  }
}
