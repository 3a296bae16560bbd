/**
 * Presence across nodes: what this node's sessions do is told to the others by the broker, which keeps it under the node's lease, and what others tell becomes
 * members here, of channels that somebody follows here. A user who is in by several nodes is one member.
 */
import type { Identity } from '@runnel/protocol';
import type { AppSession } from '../app-session.ts';
import type { BrokerNode, BrokerNodes, NodeMember, PresenceAnnouncement } from '../brokers/nodes.ts';
import type { Attendant, MemberData } from '../presence-member.ts';

/** Who is in a channel by way of another node. */
export class RemoteAttendant implements Attendant {
  readonly userId: string;
  readonly node: string;
  connected = false;
  /** What it entered with, encoded; null before it has. */
  json: string | null = null;

  constructor(userId: string, node: string) {
    this.userId = userId;
    this.node = node;
  }
}

/** Where remote members are put. */
export interface RemoteMembers {
  enter(channel: string, attendant: RemoteAttendant, given: MemberData): void;
  /** Whether it is connected may have changed. */
  refresh(channel: string, attendant: RemoteAttendant): void;
  leave(channel: string, attendant: RemoteAttendant): void;
}

export interface PresenceExchangeOptions {
  readonly nodes: BrokerNodes;
  /** This node; null while it has not joined. */
  readonly own: () => BrokerNode | null;
  readonly members: RemoteMembers;
  readonly onError: (error: unknown) => void;
}

/** One user in one channel, by this node's sessions. */
interface LocalMember<I extends Identity> {
  /** With what each has entered, the last one at the end. */
  readonly sessions: Map<AppSession<I>, string>;
  /** As told last. */
  told: string | null;
}

export class PresenceExchange<I extends Identity> {
  readonly #options: PresenceExchangeOptions;
  readonly #local = new Map<string, Map<string, LocalMember<I>>>();
  /** By channel that is followed here, then by node and user. */
  readonly #remote = new Map<string, Map<string, RemoteAttendant>>();

  constructor(options: PresenceExchangeOptions) {
    this.#options = options;
  }

  // ——— this node's sessions ———

  entered(channel: string, of: AppSession<I>, { json }: MemberData): Promise<void> {
    const members = this.#local.get(channel) ?? new Map<string, LocalMember<I>>();
    this.#local.set(channel, members);
    const member = members.get(of.userId) ?? { sessions: new Map<AppSession<I>, string>(), told: null };
    members.set(of.userId, member);
    member.sessions.delete(of);
    member.sessions.set(of, json);
    return this.#announce(channel, of.userId, member);
  }

  left(channel: string, of: AppSession<I>): void {
    const members = this.#local.get(channel);
    const member = members?.get(of.userId);
    if (members === undefined || !member?.sessions.delete(of)) return;
    if (member.sessions.size === 0) {
      members.delete(of.userId);
      if (members.size === 0) this.#local.delete(channel);
    }
    void this.#announce(channel, of.userId, member);
  }

  /** The session has lost its link, or has one again. */
  refreshed(channel: string, { userId }: AppSession<I>): void {
    const member = this.#local.get(channel)?.get(userId);
    if (member !== undefined) void this.#announce(channel, userId, member);
  }

  async #announce(channel: string, userId: string, member: LocalMember<I>): Promise<void> {
    const data = member.sessions.size === 0 ? null : memberText(member);
    if (data === member.told) return;
    member.told = data;
    try {
      if (data === null) await this.#options.own()?.leave(channel, userId);
      else await this.#options.own()?.enter(channel, userId, data);
    } catch (error) {
      this.#options.onError(error);
    }
  }

  // ——— other nodes ———

  /** Resolves when the members of a channel are known that somebody follows here from now on. */
  async follow(channel: string): Promise<void> {
    if (!this.#remote.has(channel)) this.#remote.set(channel, new Map());
    try {
      this.#reconcile(channel, await this.#options.nodes.members(channel));
    } catch (error) {
      this.#options.onError(error);
    }
  }

  /** Nobody follows the channel here any more. */
  forget(channel: string): void {
    const known = this.#remote.get(channel);
    this.#remote.delete(channel);
    for (const attendant of known?.values() ?? []) this.#options.members.leave(channel, attendant);
  }

  hear(channel: string, { node, member: userId, data }: PresenceAnnouncement): void {
    const known = this.#remote.get(channel);
    if (known === undefined || node === this.#options.own()?.name) return;
    const key = attendantKey(node, userId);
    const attendant = known.get(key);
    if (data !== null) return this.#put(known, channel, { node, member: userId, data });
    known.delete(key);
    if (attendant !== undefined) this.#options.members.leave(channel, attendant);
  }

  /** Who came by a node that is not there any more has left. */
  keep(alive: ReadonlySet<string>): void {
    for (const [channel, known] of this.#remote) {
      for (const [key, attendant] of known) {
        if (alive.has(attendant.node)) continue;
        known.delete(key);
        this.#options.members.leave(channel, attendant);
      }
    }
  }

  /** The broker was out of reach: what was said meanwhile is looked up. */
  restore(): void {
    for (const channel of this.#remote.keys()) void this.follow(channel);
  }

  #reconcile(channel: string, members: readonly NodeMember[]): void {
    const known = this.#remote.get(channel);
    if (known === undefined) return;
    const own = this.#options.own()?.name;
    const there = members.filter(({ node }) => node !== own);
    const keys = new Set(there.map(({ node, member }) => attendantKey(node, member)));
    for (const [key, attendant] of known) {
      if (keys.has(key)) continue;
      known.delete(key);
      this.#options.members.leave(channel, attendant);
    }
    for (const member of there) this.#put(known, channel, member);
  }

  #put(known: Map<string, RemoteAttendant>, channel: string, { node, member: userId, data }: NodeMember): void {
    const key = attendantKey(node, userId);
    const { connected, given } = readMember(data);
    const attendant = known.get(key) ?? new RemoteAttendant(userId, node);
    attendant.connected = connected;
    known.set(key, attendant);
    // Who is told of once more has not entered once more: somebody else may have shown other data since.
    if (attendant.json === given.json) return this.#options.members.refresh(channel, attendant);
    attendant.json = given.json;
    this.#options.members.enter(channel, attendant, given);
  }
}

// A node's name has no line break.
const attendantKey = (node: string, userId: string): string => `${node}\n${userId}`;

function memberText<I extends Identity>({ sessions }: LocalMember<I>): string {
  const connected = [...sessions.keys()].some((session) => session.connected);
  const json = [...sessions.values()].at(-1);
  return `{"connected":${connected},"data":${json}}`;
}

/** What a node has told of a member. */
export function readMember(text: string): { readonly connected: boolean; readonly given: MemberData } {
  const { connected, data } = JSON.parse(text) as { connected: boolean; data: unknown };
  return { connected, given: { data, json: JSON.stringify(data) } };
}
