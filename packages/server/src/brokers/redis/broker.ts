import { type Position, RunnelError } from '@runnel/protocol';
import { nanoid } from 'nanoid';
import type {
  Broker,
  BrokerListener,
  BrokerPublishOptions,
  BrokerWatcher,
  LogEntry,
  LogRead,
  NewEntry,
  ReadQuery,
} from '../broker.ts';
import { entryOfText, entryText } from '../entry-text.ts';
import { LeasedNodes } from '../leases.ts';
import { DEDUP_MS, LEASE_MS, type LinkedBrokerOptions, LinkedChannels } from '../linked-channels.ts';
import { ClusterLink } from './cluster-link.ts';
import { RedisKeys } from './keys.ts';
import { announcementOf, RedisLeases } from './leases.ts';
import type { RedisConnectionOptions, RedisLink, RunScript } from './link.ts';
import { PUBLISH, READ, TELL, TOUCH } from './script.ts';
import { SingleLink } from './single-link.ts';

export interface RedisBrokerOptions extends LinkedBrokerOptions {
  /** `redis://…` or `rediss://…`; a list of them: some nodes of a Redis Cluster, which tell of the others. */
  readonly url: string | readonly string[];
  /** What all keys and topics begin with: brokers that share it share their channels. Default: `runnel`. */
  readonly prefix?: string | undefined;
  /** How connections are made, beside `url`: credentials, TLS. */
  readonly connection?: RedisConnectionOptions | undefined;
  /** How long a channel is remembered that nobody publishes to or reads, ms: then its next message has another epoch. Default: a day. */
  readonly idleMs?: number | undefined;
}

/**
 * A broker on Redis 7.0 or later, or a cluster of such. Needs the package `@redis/client`. It connects at once and goes on trying until it
 * is closed; calls before the first attempt has ended wait for it. docs/BROKERS.md says what it promises.
 *
 * @throws TypeError for a URL or prefix that cannot be
 */
export function redisBroker(options: RedisBrokerOptions): Broker {
  return new RedisBroker(options);
}

class RedisBroker implements Broker {
  readonly nodes: LeasedNodes;
  readonly #keys: RedisKeys;
  readonly #channels: LinkedChannels<RedisLink>;
  readonly #leases: RedisLeases;
  readonly #dedupMs: string;
  readonly #idleMs: string;

  constructor(options: RedisBrokerOptions) {
    const { url, prefix = 'runnel', connection = {} } = options;
    const { dedupMs = DEDUP_MS, leaseMs = LEASE_MS, idleMs = 86_400_000 } = options;
    const urls = typeof url === 'string' ? [url] : url;
    for (const one of urls) if (!/^rediss?:$/.test(new URL(one).protocol)) throw new TypeError(`Not redis: ${one}`);
    this.#keys = new RedisKeys(prefix);
    this.#dedupMs = String(dedupMs);
    this.#idleMs = String(idleMs);
    const Redis = typeof url === 'string' ? SingleLink : ClusterLink;
    this.#channels = new LinkedChannels<RedisLink>({
      ...options,
      server: 'Redis',
      createLink: (given) =>
        new Redis({ ...given, urls, connection, onMessage: (topic, text) => this.#hear(topic, text) }),
      topicOf: (channel) => this.#keys.topic(channel),
      inboxes: () => this.#leases.inboxes,
    });
    const { links } = this.#channels;
    this.#leases = new RedisLeases({ links, run: this.#run, keys: this.#keys, leaseMs });
    this.nodes = new LeasedNodes(this.#leases, leaseMs);
  }

  readonly #run: RunScript = (script, keys, args) => {
    let length = 0;
    for (const arg of args) length += arg.length;
    return this.#channels.links.call((link) => link.run(script, keys, args), length);
  };

  async publish(
    channel: string,
    entry: NewEntry,
    { history, idempotencyKey }: BrokerPublishOptions,
  ): Promise<Position> {
    const keys = [this.#keys.head(channel), this.#keys.log(channel), this.#keys.topic(channel)];
    if (idempotencyKey !== undefined) keys.push(this.#keys.idempotency(channel, idempotencyKey));
    const args = [nanoid(12), this.#idleMs, entryText(entry)];
    args.push(String(history?.size ?? 0), String(history?.ttlMs ?? 0), this.#dedupMs);
    return positionOf(String(await this.#run(PUBLISH, keys, args)));
  }

  send(channel: string, entry: NewEntry): void {
    const topic = this.#keys.topic(channel);
    // It may be lost.
    this.#run(TELL, [topic], [`v${entryText(entry)}`]).catch(() => {});
  }

  async read(channel: string, { since, before, limit }: ReadQuery): Promise<LogRead> {
    const keys = [this.#keys.head(channel), this.#keys.log(channel)];
    const args = [
      nanoid(12),
      this.#idleMs,
      since?.epoch ?? '',
      orEmpty(since?.offset),
      orEmpty(before),
      orEmpty(limit),
    ];
    const answer = (await this.#run(READ, keys, args)) as readonly [string, string, number, readonly string[]];
    const [epoch, head, complete, fields] = answer;
    const entries: LogEntry[] = [];
    for (let i = 0; i < fields.length; i += 2) {
      entries.push(entryAt(Number(fields[i]), fields[i + 1] as string));
    }
    return { epoch, head: Number(head), entries, complete: complete === 1 };
  }

  async heads(channels: readonly string[]): Promise<ReadonlyMap<string, Position>> {
    const heads = new Map<string, Position>();
    await Promise.all(
      channels.map(async (channel) => {
        const keys = [this.#keys.head(channel), this.#keys.log(channel)];
        const answer = await this.#run(TOUCH, keys, [nanoid(12), this.#idleMs]);
        const [epoch, offset] = answer as readonly [string?, string?];
        if (epoch !== undefined) heads.set(channel, { epoch, offset: Number(offset) });
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

  /** `m<epoch> <offset>\n<entry>`, `v<entry>`; `p<lease>\n<member>\n<data>` or `l<lease>\n<member>`; or what is in an inbox. */
  #hear(topic: string, text: string): void {
    const channel = this.#channels.of(topic);
    if (channel === undefined) return this.#leases.hear(topic, text);
    const { followers } = this.#channels;
    const kind = text[0];
    const body = text.slice(1);
    if (kind === 'm') {
      const end = body.indexOf('\n');
      const { epoch, offset } = positionOf(body.slice(0, end));
      followers.message(channel, entryAt(offset, body.slice(end + 1)), epoch);
    } else if (kind === 'v') followers.volatile(channel, entryOfText(body));
    else followers.presence(channel, announcementOf(body));
  }
}

/** Offsets have no holes in Redis. */
const entryAt = (offset: number, text: string): LogEntry => ({ ...entryOfText(text), offset, prev: offset - 1 });

const orEmpty = (value: number | undefined): string => (value === undefined ? '' : String(value));

function positionOf(text: string): Position {
  const [epoch, offset] = text.split(' ');
  if (epoch === undefined || offset === undefined) throw new RunnelError('broker_failed', `Redis answered ${text}`);
  return { epoch, offset: Number(offset) };
}
