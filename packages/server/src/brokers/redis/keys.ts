import { escapedName } from '../escaped-name.ts';

/**
 * The keys and topics of one broker. All of a channel's have the channel's name in braces, so that a cluster keeps them in one slot, where
 * one script may touch them all.
 */
export class RedisKeys {
  readonly #prefix: string;
  readonly leases: string;

  /** @throws TypeError for a prefix with braces, which would put every channel into one slot */
  constructor(prefix: string) {
    if (/[{}]/.test(prefix)) throw new TypeError(`A prefix has no braces: ${JSON.stringify(prefix)}.`);
    this.#prefix = prefix;
    this.leases = `${prefix}:{nodes}:leases`;
  }

  head(channel: string): string {
    return this.#of(channel, 'head');
  }
  log(channel: string): string {
    return this.#of(channel, 'log');
  }
  members(channel: string): string {
    return this.#of(channel, 'members');
  }
  idempotency(channel: string, key: string): string {
    return `${this.#of(channel, 'key:')}${escapedName(key)}`;
  }
  /** Where what is published to a channel is heard. */
  topic(channel: string): string {
    return this.#of(channel, 'live');
  }
  /** Where messages to a node are heard. */
  inbox(node: string): string {
    return this.#of(node, 'inbox');
  }
  /** What the nodes have agreed upon. */
  agreed(name: string): string {
    return this.#of(name, 'agreed');
  }
  /** The channels in which something is under a lease. */
  channelsOf(lease: string): string {
    return this.#of(lease, 'channels');
  }

  #of(name: string, what: string): string {
    return `${this.#prefix}:{${escapedName(name)}}:${what}`;
  }
}
