import type { HistoryBounds } from '../broker.ts';
import { escapedName, unescapedName } from '../escaped-name.ts';

/** The subjects and streams of one broker. */
export class NatsSubjects {
  readonly #prefix: string;

  /** @throws TypeError for a prefix that is no name of a stream */
  constructor(prefix: string) {
    if (!/^[\w-]{1,32}$/.test(prefix)) {
      throw new TypeError(`A prefix has 1 to 32 letters, digits, _ and -, not ${JSON.stringify(prefix)}.`);
    }
    this.#prefix = prefix;
  }

  /** The stream that keeps the messages of all channels of these bounds. */
  logStream(bounds: HistoryBounds | null): string {
    return `${this.#prefix}_log_${classOf(bounds)}`;
  }
  /** Where the messages of a channel are published; all channels without one. */
  log(bounds: HistoryBounds | null, channel?: string): string {
    return `${this.#prefix}.log.${classOf(bounds)}.${channel === undefined ? '*' : escapedName(channel)}`;
  }
  /** Where all that happens in a channel is heard. */
  live(channel: string): string {
    return `${this.#prefix}.live.${escapedName(channel)}.>`;
  }
  volatile(channel: string): string {
    return `${this.#prefix}.live.${escapedName(channel)}.volatile`;
  }
  /** Where a stream repeats what it has stored: the channel is the first wildcard of `log` and `member`. */
  repeatedLog(epoch: string): string {
    return `${this.#prefix}.live.{{wildcard(1)}}.log.${epoch}`;
  }
  get repeatedMember(): string {
    return `${this.#prefix}.live.{{wildcard(1)}}.presence.{{wildcard(2)}}.{{wildcard(3)}}.{{wildcard(4)}}`;
  }

  get memberStream(): string {
    return `${this.#prefix}_members`;
  }
  /** A member under a lease; whatever is left out is any. */
  member({ channel, lease, member }: { channel?: string; lease?: string; member?: string }): string {
    const of = lease === undefined ? '*.*' : leaseTokens(lease);
    return `${this.#prefix}.member.${token(channel)}.${of}.${token(member)}`;
  }
  /** Lease and member of a subject like that, or of one where it is repeated: its last three tokens. */
  memberOf(subject: string): { readonly lease: string; readonly member: string } {
    const [node = '', life = '', member = ''] = subject.split('.').slice(-3);
    return { lease: `${node} ${life}`, member: unescapedName(member) };
  }

  get leaseStream(): string {
    return `${this.#prefix}_leases`;
  }
  lease(lease?: string): string {
    return `${this.#prefix}.lease.${lease === undefined ? '*.*' : leaseTokens(lease)}`;
  }
  leaseOf(subject: string): string {
    return subject.split('.').slice(2).join(' ');
  }

  get agreedStream(): string {
    return `${this.#prefix}_agreed`;
  }
  /** What the nodes have agreed upon; without a name all of it. */
  agreed(name?: string): string {
    return `${this.#prefix}.agreed.${token(name)}`;
  }

  inbox(node: string): string {
    return `${this.#prefix}.inbox.${escapedName(node)}`;
  }
}

const classOf = (bounds: HistoryBounds | null): string => (bounds === null ? 'none' : `${bounds.size}-${bounds.ttlMs}`);
const token = (name: string | undefined): string => (name === undefined ? '*' : escapedName(name));
const leaseTokens = (lease: string): string => lease.replace(' ', '.');
