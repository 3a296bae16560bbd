/** What all nodes are asked together: the sessions of a user, and how many follow a channel. */
import type { Identity, PresenceEntry } from '@runnel/protocol';
import type { AppSession } from '../app-session.ts';
import type { BrokerNodes } from '../brokers/nodes.ts';
import type { SessionInfo } from '../channels/access.ts';
import type { Occupancy } from '../channels/channel-handle.ts';
import type { Users } from '../users.ts';
import type { Post } from './post.ts';
import { readMember } from './presence-exchange.ts';

/** How long a node may take; one that takes longer is left out, ms. */
const CENSUS_MS = 2_000;

export type CensusQuestion =
  | { readonly ask: 'kick'; readonly user: string; readonly reason?: string | undefined; readonly client?: string }
  | { readonly ask: 'sessions'; readonly user: string }
  | { readonly ask: 'reauthorize'; readonly user: string }
  | { readonly ask: 'subscribers'; readonly channel: string };

/** A session of another node, as it was when it was asked for. `user` is what is left of the identity as JSON. */
type RemoteSession<I extends Identity> = Omit<SessionInfo<I>, 'kick'>;

/** What this node has. */
export interface CensusParts<I extends Identity> {
  readonly users: Users<I>;
  readonly reauthorize: (of: AppSession<I>) => Promise<void>;
  readonly members: (channel: string) => readonly PresenceEntry[];
  readonly count: (channel: string) => Occupancy;
}

/** How the other nodes are asked. */
export interface OtherNodes {
  /** This one. */
  readonly node: string;
  readonly nodes: BrokerNodes;
  readonly post: Post;
}

export class Census<I extends Identity> {
  readonly #parts: CensusParts<I>;
  /** Null: there are none. Set while the server is put together. */
  others: OtherNodes | null = null;

  constructor(parts: CensusParts<I>) {
    this.#parts = parts;
  }

  /** Ends the user's sessions at every node; resolves to their number. */
  async kick(user: string, reason?: string): Promise<number> {
    return sum(await this.#everywhere<number>({ ask: 'kick', user, reason }));
  }

  async sessions(user: string): Promise<readonly SessionInfo<I>[]> {
    const question: CensusQuestion = { ask: 'sessions', user };
    const theirs = await Promise.all(
      this.#others().map(async (node) => {
        const sessions = await this.#ask<readonly RemoteSession<I>[]>(node, question);
        return (sessions ?? []).map((session) => ({
          ...session,
          kick: (reason?: string) =>
            void this.#ask(node, { ask: 'kick', user, reason, client: session.client } satisfies CensusQuestion),
        }));
      }),
    );
    return [...this.#parts.users.sessionsOf(user).map(({ info }) => info), ...theirs.flat()];
  }

  async reauthorize(user: string): Promise<void> {
    await this.#everywhere({ ask: 'reauthorize', user });
  }

  async occupancy(channel: string): Promise<Occupancy> {
    const here = this.#parts.count(channel);
    if (this.others === null) return here;
    const [subscribers, members] = await Promise.all([
      this.#everywhere<number>({ ask: 'subscribers', channel }),
      this.others.nodes.occupancy(channel),
    ]);
    return { subscribers: sum(subscribers), members };
  }

  /** A user who is in by several nodes is one member. */
  async members(channel: string): Promise<readonly PresenceEntry[]> {
    if (this.others === null) return this.#parts.members(channel);
    const entries = new Map<string, PresenceEntry>();
    for (const { member: id, data: text } of await this.others.nodes.members(channel)) {
      const { connected, given } = readMember(text);
      entries.set(id, { id, data: given.data, connected: connected || entries.get(id)?.connected === true });
    }
    return [...entries.values()];
  }

  /** What another node asks. */
  async answer(question: CensusQuestion): Promise<unknown> {
    const { users } = this.#parts;
    switch (question.ask) {
      case 'kick': {
        const { client, reason } = question;
        const meant = users
          .sessionsOf(question.user)
          .filter(({ info }) => client === undefined || info.client === client);
        for (const { info } of meant) info.kick(reason);
        return meant.length;
      }
      case 'sessions':
        return users.sessionsOf(question.user).map(({ info }) => {
          const { client, user, transport, connected, channels } = info;
          return { client, user, transport, connected, channels };
        });
      case 'reauthorize':
        await Promise.all(users.sessionsOf(question.user).map((of) => this.#parts.reauthorize(of)));
        return null;
      case 'subscribers':
        return this.#parts.count(question.channel).subscribers;
    }
  }

  #others(): readonly string[] {
    const { others } = this;
    return others === null ? [] : [...others.post.alive].filter((node) => node !== others.node);
  }

  async #everywhere<T>(question: CensusQuestion): Promise<readonly T[]> {
    const theirs = this.#others().map((node) => this.#ask<T>(node, question));
    const all = await Promise.all([this.answer(question) as Promise<T>, ...theirs]);
    return all.filter((answer) => answer !== null);
  }

  /** Null where the node does not answer. */
  async #ask<T>(node: string, question: CensusQuestion): Promise<T | null> {
    try {
      return ((await this.others?.post.ask(node, question, { timeoutMs: CENSUS_MS })) ?? null) as T | null;
    } catch {
      // A node that is not there has nobody; what fails at one is told to its own app.
      return null;
    }
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
