/**
 * Who is in which channel. A member is a user; several sessions of one user are one member, who leaves with the last of them and shows
 * what was entered last by one that is still in. A session that has lost its link is still there, `connected: false`, until it comes back or ends.
 */
import {
  type Identity,
  type PresenceChange,
  type PresenceEntry,
  type ResolvedChannel,
  RunnelError,
} from '@runnel/protocol';
import type { AppSession } from './app-session.ts';
import type { PresenceExchange, RemoteAttendant, RemoteMembers } from './cluster/presence-exchange.ts';
import { PresenceChannel } from './presence-channel.ts';
import type { MemberData } from './presence-member.ts';
import type { Timing } from './timing.ts';

export interface PresenceOptions {
  readonly clock: Timing;
  /** Tells the subscribers of a channel. */
  readonly tell: (channel: string, change: PresenceChange) => void;
  /** How many they are. */
  readonly audience: (channel: string) => number;
  /** Channels that one session may be in. */
  readonly channelsMax: number;
  /** About the size of the changes, or the list of members, that one frame takes, in UTF-16 units. */
  readonly partSize: number;
}

/** One request to enter, from when it came until it is answered. */
export interface Entering {
  readonly channel: string;
  /** Whether the session has asked for something else since, and got it. */
  overtaken: boolean;
}

export class Presence<I extends Identity> {
  readonly #options: PresenceOptions;
  /** Tells other nodes, and is told by them; null: there are none. */
  exchange: PresenceExchange<I> | null = null;
  /** Members by way of other nodes. */
  readonly remote: RemoteMembers = {
    enter: (channel: string, attendant: RemoteAttendant, given: MemberData) =>
      this.#open(channel).enter(attendant, given),
    refresh: (channel: string, { userId }: RemoteAttendant) => this.#channels.get(channel)?.refresh(userId),
    leave: (channel: string, attendant: RemoteAttendant) => this.#channels.get(channel)?.leave(attendant),
  };
  /** By name. A channel is here while somebody is in it, or has just left. */
  readonly #channels = new Map<string, PresenceChannel>();
  /** The channels each session is in. */
  readonly #attendance = new Map<AppSession<I>, Set<string>>();
  /** The requests of each session to enter, in the order in which they came. */
  readonly #entering = new Map<AppSession<I>, Set<Entering>>();

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /**
   * The session asks to enter. The app may take its time over that, and over what the session asks next less: what was asked last is what
   * counts in the end. To be followed by `settle`.
   */
  announce(of: AppSession<I>, channel: string): Entering {
    const entering = { channel, overtaken: false };
    this.#entering.set(of, (this.#entering.get(of) ?? new Set()).add(entering));
    return entering;
  }

  settle(of: AppSession<I>, entering: Entering): void {
    const others = this.#entering.get(of);
    if (others?.delete(entering) && others.size === 0) this.#entering.delete(of);
  }

  /** Also for who is in already: shows other data from now on. At once here; resolves when other nodes may know. @throws RunnelError `limit_reached`, as rejection */
  async enter(of: AppSession<I>, entering: Entering, data: MemberData): Promise<void> {
    if (entering.overtaken) return;
    const { channel: name } = entering;
    const attended = this.#attendance.get(of) ?? new Set();
    const { channelsMax } = this.#options;
    if (!attended.has(name) && attended.size >= channelsMax) {
      throw new RunnelError('limit_reached', `a session may be in ${channelsMax} channels`);
    }
    this.#attendance.set(of, attended.add(name));
    this.#overtake(of, name, entering);
    this.#open(name).enter(of, data);
    await this.exchange?.entered(name, of, data);
  }

  leave(of: AppSession<I>, name: string): void {
    this.#overtake(of, name);
    const attended = this.#attendance.get(of);
    if (!attended?.delete(name)) return;
    if (attended.size === 0) this.#attendance.delete(of);
    this.#channels.get(name)?.leave(of);
    this.exchange?.left(name, of);
  }

  /** The session has ended. */
  leaveAll(of: AppSession<I>): void {
    for (const channel of this.channelsOf(of)) this.leave(of, channel);
  }

  /** The channels that the session is in, and as what. */
  attended(of: AppSession<I>): readonly { readonly channel: string; readonly member: MemberData }[] {
    return this.channelsOf(of).flatMap((channel) => {
      const member = this.#channels.get(channel)?.given(of);
      return member === undefined ? [] : [{ channel, member }];
    });
  }

  /** The session has lost its link, or has one again. */
  refresh(of: AppSession<I>): void {
    for (const channel of this.channelsOf(of)) {
      this.#channels.get(channel)?.refresh(of.userId);
      this.exchange?.refreshed(channel, of);
    }
  }

  /** The channels that the session is in. */
  channelsOf(of: AppSession<I>): readonly string[] {
    return [...(this.#attendance.get(of) ?? [])];
  }

  count(channel: string): number {
    return this.#channels.get(channel)?.size ?? 0;
  }

  members(channel: string): readonly PresenceEntry[] {
    return this.#channels.get(channel)?.list() ?? [];
  }

  /** The members as JSON arrays, each of which one frame takes; null for a channel without presence. */
  parts({ name, channel }: ResolvedChannel): readonly string[] | null {
    return channel.presence === null ? null : (this.#channels.get(name)?.parts() ?? []);
  }

  /** Nobody is told anything any more. */
  close(): void {
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
    this.#attendance.clear();
  }

  /** What the session asked of the channel before `by`, and has not got, it does not get any more; all of it without `by`. */
  #overtake(of: AppSession<I>, channel: string, by?: Entering): void {
    for (const entering of this.#entering.get(of) ?? []) {
      if (entering === by) return;
      if (entering.channel === channel) entering.overtaken = true;
    }
  }

  #open(name: string): PresenceChannel {
    const known = this.#channels.get(name);
    if (known !== undefined) return known;
    const { clock, tell, audience, partSize } = this.#options;
    const channel = new PresenceChannel({
      clock,
      partSize,
      tell: (change) => tell(name, change),
      audience: () => audience(name),
      onIdle: () => this.#channels.delete(name),
    });
    this.#channels.set(name, channel);
    return channel;
  }
}
