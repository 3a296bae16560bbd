/**
 * Who is in which channel. A member is a user; several sessions of one user are one member, who leaves with the last of them and shows
 * what was entered last. A session that has lost its link is still there, `connected: false`, until it comes back or ends.
 */
import {
  type Identity,
  type PresenceChange,
  type PresenceEntry,
  type ResolvedChannel,
  RunnelError,
} from '@runnel/protocol';
import type { AppSession } from './app-session.ts';

interface Member<I extends Identity> {
  readonly sessions: Set<AppSession<I>>;
  data: unknown;
  /** Of `data` as JSON, in UTF-16 units. */
  size: number;
  /** As subscribers were told. */
  connected: boolean;
}

export interface PresenceOptions {
  /** Tells the subscribers of a channel. */
  readonly tell: (channel: string, change: PresenceChange) => void;
  /** Channels that one session may be in. */
  readonly channelsMax: number;
  /** About the size of the member list that one frame takes, in UTF-16 units. */
  readonly partSize: number;
}

export class Presence<I extends Identity> {
  readonly #options: PresenceOptions;
  /** By channel name, then by user id. A channel is here while somebody is in it. */
  readonly #channels = new Map<string, Map<string, Member<I>>>();
  /** The channels each session is in. */
  readonly #attendance = new Map<AppSession<I>, Set<string>>();

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /** `json` is the encoded `data`. @throws RunnelError `limit_reached` */
  enter(of: AppSession<I>, channel: string, { data, json }: { readonly data: unknown; readonly json: string }): void {
    const attended = this.#attendance.get(of) ?? new Set();
    const { channelsMax } = this.#options;
    if (!attended.has(channel) && attended.size >= channelsMax) {
      throw new RunnelError('limit_reached', `a session may be in ${channelsMax} channels`);
    }
    this.#attendance.set(of, attended.add(channel));
    const members = this.#channels.get(channel) ?? new Map<string, Member<I>>();
    this.#channels.set(channel, members);
    const member = members.get(of.userId) ?? { sessions: new Set(), data, size: 0, connected: true };
    members.set(of.userId, member);
    member.sessions.add(of);
    member.data = data;
    member.size = json.length + of.userId.length;
    member.connected = isConnected(member);
    this.#options.tell(channel, { joined: [entry(of.userId, member)] });
  }

  leave(of: AppSession<I>, channel: string): void {
    const attended = this.#attendance.get(of);
    if (!attended?.delete(channel)) return;
    if (attended.size === 0) this.#attendance.delete(of);
    const members = this.#channels.get(channel);
    const member = members?.get(of.userId);
    if (members === undefined || member === undefined) return;
    member.sessions.delete(of);
    if (member.sessions.size > 0) return this.#refresh(channel, of.userId, member);
    members.delete(of.userId);
    if (members.size === 0) this.#channels.delete(channel);
    this.#options.tell(channel, { left: [of.userId] });
  }

  /** The session has ended. */
  leaveAll(of: AppSession<I>): void {
    for (const channel of [...(this.#attendance.get(of) ?? [])]) this.leave(of, channel);
  }

  /** The session has lost its link, or has one again. */
  refresh(of: AppSession<I>): void {
    for (const channel of this.#attendance.get(of) ?? []) {
      const member = this.#channels.get(channel)?.get(of.userId);
      if (member !== undefined) this.#refresh(channel, of.userId, member);
    }
  }

  /** The channels that the session is in. */
  channelsOf(of: AppSession<I>): readonly string[] {
    return [...(this.#attendance.get(of) ?? [])];
  }

  count(channel: string): number {
    return this.#channels.get(channel)?.size ?? 0;
  }

  members(channel: string): PresenceEntry[] {
    return [...(this.#channels.get(channel) ?? [])].map(([id, member]) => entry(id, member));
  }

  /** The members, in parts that one frame takes each; null for a channel without presence. */
  parts({ name, channel }: ResolvedChannel): PresenceEntry[][] | null {
    if (channel.presence === null) return null;
    const parts: PresenceEntry[][] = [];
    let room = 0;
    for (const [id, member] of this.#channels.get(name) ?? []) {
      room -= member.size;
      if (room < 0) {
        parts.push([]);
        room = this.#options.partSize - member.size;
      }
      parts.at(-1)?.push(entry(id, member));
    }
    return parts;
  }

  #refresh(channel: string, id: string, member: Member<I>): void {
    const connected = isConnected(member);
    if (connected === member.connected) return;
    member.connected = connected;
    this.#options.tell(channel, { joined: [entry(id, member)] });
  }
}

function isConnected<I extends Identity>({ sessions }: Member<I>): boolean {
  for (const { connected } of sessions) if (connected) return true;
  return false;
}

function entry<I extends Identity>(id: string, { data, connected }: Member<I>): PresenceEntry {
  return { id, data, connected };
}
