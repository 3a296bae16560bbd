import { DEFAULT_LIMITS, type Position, RunnelError } from '@runnel/protocol';
import { nanoid } from 'nanoid';
import { systemClock } from '../driver.ts';
import { TimeWindow } from '../time-window.ts';
import type { Timing } from '../timing.ts';

import type { Broker, BrokerListener, BrokerPublishOptions, LogEntry, LogRead, NewEntry, ReadQuery } from './broker.ts';
import { MemoryLog } from './memory-log.ts';
import { MemoryNodes } from './memory-nodes.ts';
import type { BrokerNodes } from './nodes.ts';

/** Where a {@link MemoryBrokerOptions.latency} may step in: before a call is carried out, after a message is accepted, before it is heard. */
export type MemoryBrokerStep = 'publish' | 'accepted' | 'deliver' | 'read' | 'heads' | 'subscribe';

export interface MemoryBrokerOptions {
  /** Default: the process's. */
  readonly clock?: Timing;
  /** A new name of at most 48 characters, unlike any before. Default: random. */
  readonly newId?: () => string;
  /** How long an idempotency key is remembered, ms. Default: as `limits.dedupMs`, 5 minutes. */
  readonly dedupMs?: number;
  /** Idempotency keys remembered at most; beyond it the oldest are forgotten early. Default: 1,000,000. */
  readonly keysMax?: number;
  /** Bytes of all logs together, roughly; beyond it the channels published to least recently lose entries. Default: 256 MiB. */
  readonly bytesMax?: number;
  /** Channels remembered at most while nobody listens; beyond it the least recently used are forgotten. Default: 100,000. */
  readonly idleChannelsMax?: number;
  /** How long a channel without listeners and without entries is remembered, ms. Default: 5 minutes. */
  readonly idleMs?: number;
  /**
   * Makes a step take time: it goes on when the promise resolves. One that rejects fails the call, or loses the message for that
   * listener. Default: every step happens at once.
   */
  readonly latency?: (step: MemoryBrokerStep, channel: string) => Promise<void> | undefined;
}

/** Channels looked at for what may be forgotten, at each call. There is no timer: what nobody touches does not grow. */
const SWEPT_PER_CALL = 2;

/**
 * The embedded broker: logs in this process's memory, gone with it. A channel that nobody listens to, and of which nothing is kept any
 * more, is forgotten after a while; should it come back it has a new epoch, so no offset of an epoch is ever given twice.
 */
export function memoryBroker(options: MemoryBrokerOptions = {}): Broker {
  return new MemoryBroker(options);
}

class MemoryBroker implements Broker {
  readonly nodes: BrokerNodes;
  readonly #nodes: MemoryNodes;
  readonly #clock: Timing;
  readonly #latency: MemoryBrokerOptions['latency'];
  readonly #bytesMax: number;
  readonly #idleChannelsMax: number;
  readonly #idleMs: number;
  readonly #id: string;
  /** Least recently published to first. */
  readonly #logs = new Map<string, MemoryLog>();
  readonly #keys: TimeWindow<Position>;
  /** Bytes of all logs. */
  #bytes = 0;
  /** Logs begun: the part of an epoch that tells the lives of one channel apart. */
  #lives = 0;
  /** Walks `#logs` round and round, a little at each call. */
  #sweep: Iterator<[string, MemoryLog]>;
  #closed = false;

  constructor(options: MemoryBrokerOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#latency = options.latency;
    this.#bytesMax = options.bytesMax ?? 256 * 1024 * 1024;
    this.#idleChannelsMax = options.idleChannelsMax ?? 100_000;
    this.#idleMs = options.idleMs ?? 300_000;
    this.#id = (options.newId ?? nanoid)();
    this.#keys = new TimeWindow({
      spanMs: options.dedupMs ?? DEFAULT_LIMITS.dedupMs,
      sizeMax: options.keysMax ?? 1_000_000,
    });
    this.#sweep = this.#logs.entries();
    this.#nodes = new MemoryNodes({
      announce: (channel, announcement) => {
        const log = this.#logs.get(channel);
        if (log === undefined) return;
        for (const listener of log.listeners) {
          this.#hear(channel, log, listener, () => listener.presence?.(announcement));
        }
      },
    });
    this.nodes = this.#nodes;
  }

  publish(channel: string, entry: NewEntry, options: BrokerPublishOptions): Promise<Position> {
    return this.#step('publish', channel, () => {
      const position = this.#accept(channel, entry, options);
      const wait = this.#latency?.('accepted', channel);
      return wait === undefined ? position : wait.then(() => position, fail);
    });
  }

  send(channel: string, entry: NewEntry): void {
    const log = this.#logs.get(channel);
    if (log === undefined || this.#closed) return;
    for (const listener of log.listeners) this.#hear(channel, log, listener, () => listener.volatile(entry));
  }

  read(channel: string, query: ReadQuery): Promise<LogRead> {
    return this.#step('read', channel, () => this.#log(channel).read(query, this.#clock.now()));
  }

  heads(channels: readonly string[]): Promise<ReadonlyMap<string, Position>> {
    return this.#step('heads', channels[0] ?? '', () => {
      const heads = new Map<string, Position>();
      for (const channel of channels) {
        const log = this.#logs.get(channel);
        if (log !== undefined) heads.set(channel, { epoch: log.epoch, offset: log.head });
      }
      return heads;
    });
  }

  subscribe(channel: string, listener: BrokerListener): Promise<void> {
    return this.#step('subscribe', channel, () => {
      this.#log(channel).listeners.add(listener);
    });
  }

  unsubscribe(channel: string, listener: BrokerListener): void {
    const log = this.#logs.get(channel);
    if (log === undefined) return;
    log.listeners.delete(listener);
    log.touchedAt = this.#clock.now();
    this.#moveBack(channel, log);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#nodes.close();
    this.#logs.clear();
    this.#bytes = 0;
    return Promise.resolve();
  }

  /** Carries a call out: at once, so that it has happened when the call returns, unless latency is asked for. */
  #step<T>(step: MemoryBrokerStep, channel: string, run: () => T | Promise<T>): Promise<T> {
    const runOpen = (): T | Promise<T> => {
      if (this.#closed) throw new RunnelError('broker_failed', 'the broker is closed');
      this.#sweepSome();
      return run();
    };
    const wait = this.#latency?.(step, channel);
    if (wait !== undefined) return wait.catch(fail).then(runOpen);
    try {
      return Promise.resolve(runOpen());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #accept(channel: string, added: NewEntry, { history, idempotencyKey }: BrokerPublishOptions): Position {
    const now = this.#clock.now();
    // Channel names have no line breaks, so the pair is unambiguous.
    const key = idempotencyKey === undefined ? null : `${channel}\n${idempotencyKey}`;
    const known = key === null ? undefined : this.#keys.get(key, now);
    if (known !== undefined) return known;
    const log = this.#log(channel);
    const bytesBefore = log.bytes;
    const entry = log.append(added, history, now);
    this.#bytes += log.bytes - bytesBefore;
    // A channel that is listened to and keeps nothing is in nobody's way.
    if (log.size > 0 || log.listeners.size === 0) this.#moveBack(channel, log);
    const position = { epoch: log.epoch, offset: entry.offset };
    if (key !== null) this.#keys.set(key, position, now);
    this.#shrink();
    this.#deliver(channel, log, entry);
    return position;
  }

  #moveBack(channel: string, log: MemoryLog): void {
    this.#logs.delete(channel);
    this.#logs.set(channel, log);
  }

  #deliver(channel: string, log: MemoryLog, entry: LogEntry): void {
    for (const listener of log.listeners) {
      if (this.#latency === undefined) listener.message(entry, log.epoch);
      else this.#hear(channel, log, listener, () => listener.message(entry, log.epoch));
    }
  }

  #hear(channel: string, log: MemoryLog, listener: BrokerListener, hear: () => void): void {
    const wait = this.#latency?.('deliver', channel);
    if (wait === undefined) return hear();
    const lost = (): void => {};
    wait.then(() => {
      if (log.listeners.has(listener) && !this.#closed) hear();
    }, lost);
  }

  #log(channel: string): MemoryLog {
    const known = this.#logs.get(channel);
    if (known !== undefined) return known;
    this.#lives += 1;
    const log = new MemoryLog(`${this.#id}.${this.#lives.toString(36)}`, this.#clock.now());
    this.#logs.set(channel, log);
    this.#forgetIdle();
    return log;
  }

  #sweepSome(): void {
    const now = this.#clock.now();
    for (let i = 0; i < SWEPT_PER_CALL; i += 1) {
      const next = this.#sweep.next();
      if (next.done) {
        this.#sweep = this.#logs.entries();
        return;
      }
      const [channel, log] = next.value;
      this.#trim(log, now);
      if (log.listeners.size === 0 && log.size === 0 && now >= log.touchedAt + this.#idleMs) this.#logs.delete(channel);
    }
  }

  #trim(log: MemoryLog, now: number): void {
    const before = log.bytes;
    log.trim(now);
    this.#bytes += log.bytes - before;
  }

  /** Keeps the number of channels nobody listens to bounded. A channel with listeners is put behind the others: it is in use. */
  #forgetIdle(): void {
    let looked = 0;
    for (const [channel, log] of this.#logs) {
      if (this.#logs.size <= this.#idleChannelsMax || looked >= 8) return;
      looked += 1;
      this.#logs.delete(channel);
      if (log.listeners.size > 0) this.#logs.set(channel, log);
      else this.#bytes -= log.bytes;
    }
  }

  /** Keeps all logs together within `bytesMax`; frees a tenth at once, so that the walk is rare. */
  #shrink(): void {
    if (this.#bytes <= this.#bytesMax) return;
    const bytesWanted = this.#bytesMax * 0.9;
    for (const log of this.#logs.values()) {
      const others = this.#bytes - log.bytes;
      while (log.size > 0 && others + log.bytes > bytesWanted) log.dropOldest();
      this.#bytes = others + log.bytes;
      if (this.#bytes <= bytesWanted) return;
    }
  }
}

function fail(cause: unknown): never {
  throw RunnelError.is(cause) ? cause : new RunnelError('broker_failed', 'the broker did not answer', { cause });
}
