import { escapedName, unescapedName } from '../escaped-name.ts';
import { type LeasedMember, type LeaseStore, type Leases, nodeOf } from '../leases.ts';
import type { LinkKeeper } from '../link-keeper.ts';
import type { PresenceAnnouncement } from '../nodes.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisLink, RunScript } from './link.ts';
import {
  AGREE,
  CHANNELS,
  DROP,
  ENTER,
  LEASES,
  LEAVE,
  LISTENERS,
  MEMBERS,
  NAMES,
  RELEASE,
  RENEW,
  SWEEP,
  TELL,
} from './script.ts';

export interface RedisLeasesOptions {
  readonly links: LinkKeeper<RedisLink>;
  readonly run: RunScript;
  readonly keys: RedisKeys;
  readonly leaseMs: number;
}

type Hear = (text: string, from: string) => void;

/**
 * Leases, members and inboxes in Redis. Members are in a hash for each channel. Which channels a lease is in is kept beside, in another
 * slot: rather too many than too few, so that everything can be found when the node is dead.
 */
export class RedisLeases implements LeaseStore {
  readonly #options: RedisLeasesOptions;
  /** By topic. */
  readonly #inboxes = new Map<string, Hear>();

  constructor(options: RedisLeasesOptions) {
    this.#options = options;
  }

  /** The topics of those who listen. */
  get inboxes(): Iterable<string> {
    return this.#inboxes.keys();
  }

  async take(lease: string): Promise<void> {
    const { run, keys, leaseMs } = this.#options;
    await run(RENEW, [keys.leases], [lease, String(leaseMs), 'anew']);
  }

  async renew(lease: string): Promise<boolean> {
    const { run, keys, leaseMs } = this.#options;
    return (await run(RENEW, [keys.leases], [lease, String(leaseMs)])) === 1;
  }

  async leases(): Promise<Leases> {
    const { run, keys } = this.#options;
    const [running, dead] = (await run(LEASES, [keys.leases], [])) as readonly [string[], string[]];
    return { running, dead };
  }

  async sweep(lease: string): Promise<void> {
    const { run, keys } = this.#options;
    const channels = (await run(CHANNELS, [keys.channelsOf(lease)], [])) as readonly string[];
    for (const channel of channels) await run(SWEEP, [keys.members(channel)], [lease]);
    await run(DROP, [keys.channelsOf(lease)], []);
    await run(RELEASE, [keys.leases], [lease]);
  }

  async enter({ lease, channel, member, data }: Parameters<LeaseStore['enter']>[0]): Promise<void> {
    const { run, keys } = this.#options;
    await Promise.all([
      run(CHANNELS, [keys.channelsOf(lease)], [channel]),
      run(ENTER, [keys.members(channel), keys.topic(channel)], [fieldOf(lease, member), data]),
    ]);
  }

  async leave({ lease, channel, member }: Parameters<LeaseStore['leave']>[0]): Promise<void> {
    const { run, keys } = this.#options;
    await run(LEAVE, [keys.members(channel), keys.topic(channel)], [fieldOf(lease, member)]);
  }

  async members(channel: string): Promise<readonly (LeasedMember & { readonly data: string })[]> {
    const { run, keys } = this.#options;
    const answer = (await run(MEMBERS, [keys.members(channel)], [])) as readonly string[];
    const members: (LeasedMember & { readonly data: string })[] = [];
    for (let i = 0; i < answer.length; i += 2) {
      members.push({ ...memberOf(answer[i] as string), data: answer[i + 1] as string });
    }
    return members;
  }

  async names(channel: string): Promise<readonly LeasedMember[]> {
    const { run, keys } = this.#options;
    return ((await run(NAMES, [keys.members(channel)], [])) as readonly string[]).map(memberOf);
  }

  async listen(node: string, hear: Hear): Promise<void> {
    const { links, keys } = this.#options;
    const topic = keys.inbox(node);
    this.#inboxes.set(topic, hear);
    await links.subscribe(topic);
  }

  stopListening(node: string): void {
    const { links, keys } = this.#options;
    const topic = keys.inbox(node);
    if (this.#inboxes.delete(topic)) links.unsubscribe(topic);
  }

  send({ to, from, text, unheard }: Parameters<LeaseStore['send']>[0]): void {
    const { run, keys } = this.#options;
    run(TELL, [keys.inbox(to)], [`${escapedName(from)}\n${text}`]).then(
      (listeners) => {
        if (listeners === 0) unheard();
      },
      // At most once.
      () => {},
    );
  }

  get steadyMs(): number {
    return this.#options.links.steadyMs;
  }

  async isListening(node: string): Promise<boolean> {
    const { run, keys } = this.#options;
    return (await run(LISTENERS, [keys.inbox(node)], [])) !== 0;
  }

  async agree(name: string, proposal: string): Promise<string> {
    const { run, keys } = this.#options;
    return (await run(AGREE, [keys.agreed(name)], [proposal])) as string;
  }

  /** Something came on a topic that is no channel's. */
  hear(topic: string, text: string): void {
    const end = text.indexOf('\n');
    this.#inboxes.get(topic)?.(text.slice(end + 1), unescapedName(text.slice(0, end)));
  }
}

/** `<lease>\n<member>\n<data>`; without data: left. */
export function announcementOf(text: string): PresenceAnnouncement {
  const [lease = '', member = ''] = text.split('\n', 2);
  const from = lease.length + member.length + 2;
  return { node: nodeOf(lease), member: unescapedName(member), data: text.length < from ? null : text.slice(from) };
}

const fieldOf = (lease: string, member: string): string => `${lease}\n${escapedName(member)}`;

function memberOf(field: string): LeasedMember {
  const [lease = '', member = ''] = field.split('\n', 2);
  return { lease, member: unescapedName(member) };
}
