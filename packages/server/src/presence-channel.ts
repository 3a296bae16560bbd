/**
 * Who is in one channel, and what its subscribers have yet to be told of that (PROTOCOL §5.24).
 *
 * The state changes at once; what changed is told together, with the state that it has by then. The first change after a pause is told
 * at the end of the turn, the next ones no sooner than a window later, which is the longer the more there are to tell: so a thousand who
 * come within a second cost each subscriber a few frames. A subscriber is listed the state as it is when it comes, changes that were not
 * told included. Being told of them once more tells it nothing wrong: the last word about a member is always what he is.
 */
import type { PresenceChange, PresenceEntry } from '@runnel/protocol';
import { type Attendant, type MemberData, PresenceMember } from './presence-member.ts';
import type { Timing } from './timing.ts';

/** How long changes wait at least and at most after the last ones were told, ms; in between it is a ms for each who is there. */
const WINDOW_MS = { min: 20, max: 1_000 } as const;

export interface PresenceChannelOptions {
  readonly clock: Timing;
  /** Tells the subscribers. */
  readonly tell: (change: PresenceChange) => void;
  /** How many they are. */
  readonly audience: () => number;
  /** Nobody is in it, and nothing is left to be told. */
  readonly onIdle: () => void;
  /** About the size of the changes, or the list of members, that one frame takes, in UTF-16 units. */
  readonly partSize: number;
}

export class PresenceChannel {
  readonly #options: PresenceChannelOptions;
  /** By user id, in the order in which they came. */
  readonly #members = new Map<string, PresenceMember>();
  /**
   * Users who changed since the subscribers were told, each with the number of lists that had been given by then; -1 for those who were
   * in before. A user who has left need not be told of unless he was in before, or on a list given since.
   */
  readonly #changed = new Map<string, number>();
  /** How often the members were listed. */
  #lists = 0;
  /** The list as subscribers are given it; null once it is out of date. */
  #parts: readonly string[] | null = null;
  #toldAt = Number.NEGATIVE_INFINITY;
  /** Takes back the timer that tells what changed; null while nothing did. */
  #cancelTimer: (() => void) | null = null;

  constructor(options: PresenceChannelOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#members.size;
  }

  enter(of: Attendant, given: MemberData): void {
    const id = of.userId;
    this.#change(id);
    const member = this.#members.get(id) ?? new PresenceMember(id, given);
    this.#members.set(id, member);
    member.enter(of, given);
  }

  leave(of: Attendant): void {
    const member = this.#members.get(of.userId);
    if (member === undefined) return;
    member.leave(of);
    if (member.isIn) return this.refresh(member.id);
    this.#change(member.id);
    this.#members.delete(member.id);
    this.#endIfIdle();
  }

  /** What the session has entered with. */
  given(of: Attendant): MemberData | undefined {
    return this.#members.get(of.userId)?.givenBy(of);
  }

  /** A session of the user has lost its link, has one again, or has left others behind. */
  refresh(id: string): void {
    const member = this.#members.get(id);
    if (!member?.isStale) return;
    this.#change(id);
    member.update();
  }

  list(): PresenceEntry[] {
    this.#lists += 1;
    return Array.from(this.#members.values(), ({ entry }) => entry);
  }

  /** The list as JSON arrays, each of which one frame takes. */
  parts(): readonly string[] {
    this.#lists += 1;
    this.#parts ??= cut([...this.#members.values()], this.#options.partSize).map(
      (part) => `[${part.map(({ text }) => text).join(',')}]`,
    );
    return this.#parts;
  }

  /** Nobody is told anything any more. */
  close(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#changed.clear();
  }

  /** To be called before the member changes. */
  #change(id: string): void {
    this.#parts = null;
    const { clock, audience } = this.#options;
    const subscribers = audience();
    // Whoever subscribes later is given the list.
    if (subscribers === 0) return;
    if (!this.#changed.has(id)) this.#changed.set(id, this.#members.has(id) ? -1 : this.#lists);
    if (this.#cancelTimer !== null) return;
    const windowMs = Math.min(Math.max(this.#members.size, subscribers, WINDOW_MS.min), WINDOW_MS.max);
    const ms = Math.max(this.#toldAt + windowMs - clock.now(), 0);
    this.#cancelTimer = clock.after(ms, () => this.#tell());
  }

  #tell(): void {
    const { clock, tell } = this.#options;
    this.#cancelTimer = null;
    this.#toldAt = clock.now();
    const news: (PresenceMember | string)[] = [];
    for (const [id, lists] of this.#changed) {
      const member = this.#members.get(id);
      if (member !== undefined || lists < this.#lists) news.push(member ?? id);
    }
    this.#changed.clear();
    for (const part of cut(news, this.#options.partSize)) {
      const joined = part.filter((item) => typeof item !== 'string').map(({ entry }) => entry);
      const left = part.filter((item) => typeof item === 'string');
      tell({ ...(joined.length > 0 && { joined }), ...(left.length > 0 && { left }) });
    }
    this.#endIfIdle();
  }

  #endIfIdle(): void {
    if (this.#members.size === 0 && this.#cancelTimer === null) this.#options.onIdle();
  }
}

/** Members, and ids of those who have left, in runs of about `size` UTF-16 units. */
function cut<T extends string | { readonly text: string }>(items: readonly T[], size: number): T[][] {
  const runs: T[][] = [];
  let room = 0;
  for (const item of items) {
    const { length } = typeof item === 'string' ? item : item.text;
    room -= length;
    if (room < 0) {
      runs.push([]);
      room = size - length;
    }
    runs.at(-1)?.push(item);
  }
  return runs;
}
