/**
 * Who is present in one channel, and whether we are. Several handles may have entered: what the one that did so last has given counts, and we leave with the
 * last of them. The server does concurrently what it is asked at once, so it is told one thing after another; what was replaced by then is not told.
 */
import { type PresenceEntry, RunnelError, type SubscribeOptions } from '@runnel/protocol';
import { Listeners, type Report } from './listeners.ts';

/** What has changed in the list of members, by their ids. Those who left are shown as last known. */
export interface MembersChange {
  readonly joined: readonly PresenceEntry[];
  readonly updated: readonly PresenceEntry[];
  readonly left: readonly PresenceEntry[];
}

/** The channel, as needed here. */
export interface AttendedChannel {
  readonly name: string;
  readonly subscribed: boolean;
  hold(options: SubscribeOptions): () => void;
  ready(): Promise<void>;
  request(method: string, data: unknown): Promise<unknown>;
}

/** What a handle has entered with, as an object of its own: the same data twice are two. */
interface Entry {
  readonly data: unknown;
}

/** A handle that has entered. */
interface Attendee {
  /** What it gave last. */
  entry: Entry;
  /** What the server took last: if it refuses `entry`, that still holds. */
  accepted: Entry | null;
  /** Lets go of the channel. */
  readonly release: () => void;
}

export class Attendance {
  readonly onMembers: Listeners<[members: readonly PresenceEntry[], change: MembersChange]>;
  readonly #channel: AttendedChannel;
  /** Null before the server has said. */
  #members: readonly PresenceEntry[] | null = null;
  /** By handle, the one that entered last at the end. */
  readonly #attendees = new Map<object, Attendee>();
  /** What the server was told last in this subscription, and its answer; null: that we are not present, or nothing. */
  #told: Entry | null = null;
  #answer: Promise<void> = Promise.resolve();

  constructor(channel: AttendedChannel, report: Report) {
    this.#channel = channel;
    this.onMembers = new Listeners(report);
  }

  /** As last heard. The same list until that changes. */
  get members(): readonly PresenceEntry[] {
    return this.#members ?? NOBODY;
  }

  get #current(): Entry | null {
    return [...this.#attendees.values()].at(-1)?.entry ?? null;
  }

  /** The channel is subscribed, perhaps in another session, which knows nothing of us. */
  handleSubscribed(): void {
    this.#told = null;
    // What is refused has not entered any more.
    this.#tell(this.#current).catch(() => {});
  }

  handleMembers(now: ReadonlyMap<string, PresenceEntry>): void {
    const before = new Map(this.#members?.map((member) => [member.id, member]));
    const joined: PresenceEntry[] = [];
    const updated: PresenceEntry[] = [];
    for (const member of now.values()) {
      const known = before.get(member.id);
      before.delete(member.id);
      if (known === undefined) joined.push(member);
      else if (known !== member && JSON.stringify(known) !== JSON.stringify(member)) updated.push(member);
    }
    const left = [...before.values()];
    if (this.#members !== null && joined.length + updated.length + left.length === 0) return;
    this.#members = [...now.values()];
    this.onMembers.emit(this.#members, { joined, updated, left });
  }

  /** Nobody wants the channel. */
  handleIdle(): void {
    this.#members = null;
  }

  /** Is present with `data` from here on, in later sessions too; resolves when the server has said so. */
  enter(handle: object, data: unknown, options: SubscribeOptions): Promise<void> {
    const entry = { data };
    const attendee = this.#attendees.get(handle) ?? { entry, accepted: null, release: this.#channel.hold(options) };
    this.#attendees.delete(handle);
    this.#attendees.set(handle, attendee);
    return this.#show(attendee, entry);
  }

  /** The same with other data, for a handle that has entered; null: for the one that did so last. */
  update(handle: object | null, data: unknown): Promise<void> {
    const attendee = handle === null ? [...this.#attendees.values()].at(-1) : this.#attendees.get(handle);
    if (attendee === undefined) {
      const message = `presence.update() of "${this.#channel.name}" needs presence.enter() before it.`;
      return Promise.reject(new TypeError(message));
    }
    return this.#show(attendee, { data });
  }

  /** Takes back what a handle has entered with; null: all of them. */
  leave(handle: object | null): Promise<void> {
    const before = this.#current;
    const leaving = [...this.#attendees].filter(([of]) => handle === null || of === handle);
    for (const [of] of leaving) this.#attendees.delete(of);
    const release = (): void => {
      for (const [, attendee] of leaving) attendee.release();
    };
    if (this.#current !== before && this.#channel.subscribed) return this.#tell(this.#current).finally(release);
    release();
    return Promise.resolve();
  }

  #show(attendee: Attendee, entry: Entry): Promise<void> {
    attendee.entry = entry;
    return this.#channel.ready().then(
      () => this.#tell(entry),
      (error) => {
        this.#refused(entry);
        throw error;
      },
    );
  }

  /** Tells the server what is so, after what it was told before and unless it is so no more by then. */
  #tell(entry: Entry | null): Promise<void> {
    if (entry !== this.#current) return Promise.resolve();
    if (entry === this.#told) return this.#answer;
    this.#told = entry;
    this.#answer = this.#answer.catch(() => {}).then(() => this.#ask(entry));
    // Nobody may wait for it.
    this.#answer.catch(() => {});
    return this.#answer;
  }

  #ask(entry: Entry | null): Promise<void> | undefined {
    if (entry !== this.#current) return;
    if (entry === null) return this.#channel.request('$leave', null).then(() => {});
    return this.#channel.request('$enter', entry.data).then(
      () => {
        for (const attendee of this.#attendees.values()) if (attendee.entry === entry) attendee.accepted = entry;
      },
      (error) => {
        // What may go better next time is tried again with the next subscription.
        if (!(RunnelError.is(error) && error.retryable)) this.#refused(entry);
        throw error;
      },
    );
  }

  /** What the server had before still holds; without that the handle has not entered. */
  #refused(entry: Entry): void {
    for (const [handle, attendee] of this.#attendees) {
      if (attendee.entry !== entry) continue;
      if (attendee.accepted !== null) attendee.entry = attendee.accepted;
      else {
        this.#attendees.delete(handle);
        attendee.release();
      }
    }
  }
}

const NOBODY: readonly never[] = [];
