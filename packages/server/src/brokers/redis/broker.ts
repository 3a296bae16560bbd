import { type Position, RunnelError } from '@runnel/protocol';
import { nanoid } from 'nanoid';
import { Backoff } from '../backoff.ts';
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
import { Followers } from '../followers.ts';
import { LeasedNodes } from '../leases.ts';
import { LinkKeeper } from '../link-keeper.ts';
import type { BrokerNodes } from '../nodes.ts';
import { ClusterLink } from './cluster-link.ts';
import { RedisKeys } from './keys.ts';
import { announcementOf, RedisLeases } from './leases.ts';
import type { RedisConnectionOptions, RedisLink, RunScript } from './link.ts';
import { PUBLISH, READ, TELL, TOUCH } from './script.ts';
import { SingleLink } from './single-link.ts';

export interface RedisBrokerOptions {
  /** `redis://…` or `rediss://…`; a list of them: some nodes of a Redis Cluster, which tell of the others. */
  readonly url: string | readonly string[];
  /** What all keys and topics begin with: brokers that share it share their channels. Default: `runnel`. */
  readonly prefix?: string | undefined;
  /** How connections are made, beside `url`: credentials, TLS. */
  readonly connection?: RedisConnectionOptions | undefined;
  /** How long a call may go unanswered before it fails and the connection is given up for another, ms. Default: 5,000. */
  readonly timeoutMs?: number | undefined;
  /** How long an idempotency key is remembered, ms. Default: as `limits.dedupMs`, 5 minutes. */
  readonly dedupMs?: number | undefined;
  /** How long a channel is remembered that nobody publishes to or reads, ms: then its next message has another epoch. Default: a day. */
  readonly idleMs?: number | undefined;
  /** How long a node counts as alive that is not heard of, ms. Default: 10,000. */
  readonly leaseMs?: number | undefined;
  /** Calls that may wait for an answer. Default: 10,000. */
  readonly pendingMax?: number | undefined;
  /** What they may carry together, UTF-16 units. Default: 64 Mi. */
  readonly pendingLengthMax?: number | undefined;
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
  readonly nodes: BrokerNodes;
  readonly #keys: RedisKeys;
  readonly #links: LinkKeeper<RedisLink>;
  readonly #followers: Followers;
  readonly #leases: RedisLeases;
  readonly #nodes: LeasedNodes;
  readonly #dedupMs: string;
  readonly #idleMs: string;
  /** Channel by topic, of those that are followed. */
  readonly #channels = new Map<string, string>();

  constructor(options: RedisBrokerOptions) {
    const { url, prefix = 'runnel', connection = {}, timeoutMs = 5_000, leaseMs = 10_000 } = options;
    const { dedupMs = 300_000, idleMs = 86_400_000, pendingMax = 10_000, pendingLengthMax = 67_108_864 } = options;
    const urls = typeof url === 'string' ? [url] : url;
    for (const one of urls) if (!/^rediss?:$/.test(new URL(one).protocol)) throw new TypeError(`Not redis: ${one}`);
    this.#keys = new RedisKeys(prefix);
    this.#dedupMs = String(dedupMs);
    this.#idleMs = String(idleMs);
    this.#followers = new Followers({
      open: (channel) => {
        const topic = this.#keys.topic(channel);
        this.#channels.set(topic, channel);
        return this.#links.subscribe(topic);
      },
      close: (channel) => {
        const topic = this.#keys.topic(channel);
        this.#channels.delete(topic);
        this.#links.unsubscribe(topic);
      },
    });
    const Redis = typeof url === 'string' ? SingleLink : ClusterLink;
    this.#links = new LinkKeeper<RedisLink>({
      server: 'Redis',
      createLink: (events) =>
        new Redis({
          ...events,
          urls,
          connection,
          connectMs: timeoutMs,
          onMessage: (topic, text) => this.#hear(topic, text),
        }),
      backoff: new Backoff({ minMs: 50, maxMs: 2_000 }),
      timeoutMs,
      callsMax: pendingMax,
      lengthMax: pendingLengthMax,
      topics: () => [
        ...Array.from(this.#followers.channels, (channel) => this.#keys.topic(channel)),
        ...this.#leases.inboxes,
      ],
    });
    this.#leases = new RedisLeases({ links: this.#links, run: this.#run, keys: this.#keys, leaseMs });
    this.#nodes = new LeasedNodes(this.#leases, leaseMs);
    this.nodes = this.#nodes;
  }

  readonly #run: RunScript = (script, keys, args) => {
    let length = 0;
    for (const arg of args) length += arg.length;
    return this.#links.call((link) => link.run(script, keys, args), length);
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
    this.#links.close();
  }

  /** `m<epoch> <offset>\n<entry>`, `v<entry>`; `p<lease>\n<member>\n<data>` or `l<lease>\n<member>`; or what is in an inbox. */
  #hear(topic: string, text: string): void {
    const channel = this.#channels.get(topic);
    if (channel === undefined) return this.#leases.hear(topic, text);
    const kind = text[0];
    const body = text.slice(1);
    if (kind === 'm') {
      const end = body.indexOf('\n');
      const { epoch, offset } = positionOf(body.slice(0, end));
      this.#followers.message(channel, entryAt(offset, body.slice(end + 1)), epoch);
    } else if (kind === 'v') this.#followers.volatile(channel, entryOfText(body));
    else this.#followers.presence(channel, announcementOf(body));
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
