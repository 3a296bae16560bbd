import type {
  Contract,
  PatternOf,
  PresenceInput,
  PresenceMember,
  SubscribeOptions,
  Undeclared,
} from '@runnel/protocol';
import type { CallOptions, SharedChannels } from './shared-channels.ts';

/** One who is present in a channel, as the server vouches for. */
export interface Member<D> {
  /** The user, as the server's `authenticate` says; several sessions of one user are one member. */
  readonly id: string;
  readonly data: D;
  /** False while none of the member's sessions has a connection; the member leaves when that lasts too long. */
  readonly connected: boolean;
}

/** What has changed since the list before. */
export interface PresenceChange<D> {
  readonly joined: readonly Member<D>[];
  /** Those whose `data` or `connected` has changed, as they are now. */
  readonly updated: readonly Member<D>[];
  /** As they were last. */
  readonly left: readonly Member<D>[];
}

/** How many are there. */
export interface Occupancy {
  /** Users who are present. */
  readonly members: number;
  /** Sessions that are subscribed. */
  readonly subscribers: number;
}

/** Gets the members, and what has changed; at first all of them have joined. */
export type PresenceHandler<D> = (members: readonly Member<D>[], change: PresenceChange<D>) => void;

export interface PresenceOptions {
  readonly channels: SharedChannels;
  /** The channel's. */
  readonly name: string;
  readonly options: SubscribeOptions;
  /** Has them called when the handle that this belongs to is closed; returns what calls them before. */
  readonly keep: (...offs: readonly (() => void)[]) => () => void;
}

/** What a channel's handle has; the compiler names the type `Undeclared<'presence'>` where the contract declares none. */
export type ChannelPresence<C extends Contract<C>, K extends PatternOf<C>> =
  PresenceMember<C, K> extends Undeclared<string> ? Undeclared<'presence'> : ClientPresence<C, K>;

/** Who is present in one channel, and whether we are. Entering and `onChange` subscribe the channel. */
export class ClientPresence<C extends Contract<C>, K extends PatternOf<C>> {
  readonly #of: PresenceOptions;
  /** Whether this handle has ever entered. One that has not can only mean what others have entered with. */
  #hasEntered = false;

  constructor(of: PresenceOptions) {
    this.#of = of;
  }

  /**
   * Is present with `data` until `leave()`, through lost sessions too. Where several handles of a channel have entered, what the last one gave is shown.
   * @throws RunnelError as rejection; `forbidden` and the like for good, `timeout` and the like while it is tried again with the next session
   */
  enter(data: PresenceInput<C, K>): Promise<void> {
    this.#hasEntered = true;
    return this.#of.channels.get(this.#of.name).attendance.enter(this, data, this.#of.options);
  }

  /**
   * Is present with other data. Of updates in quick succession only the last is sent; all of them resolve.
   * @throws TypeError as rejection where we are not present; RunnelError as for `enter`, and then what the server has still holds
   */
  update(data: PresenceInput<C, K>): Promise<void> {
    return this.#of.channels.get(this.#of.name).attendance.update(this.#self, data);
  }

  /**
   * Is present no more. Where several handles of the channel have entered, one of them takes back its own only; a handle that never entered takes back all.
   */
  leave(): Promise<void> {
    return this.#of.channels.find(this.#of.name)?.attendance.leave(this.#self) ?? Promise.resolve();
  }

  /** Who is present, as last heard; empty before the channel is subscribed. The same list until that changes. */
  members(): readonly Member<PresenceMember<C, K>>[] {
    return (this.#of.channels.find(this.#of.name)?.attendance.members ?? NOBODY) as readonly Member<
      PresenceMember<C, K>
    >[];
  }

  /** Calls `handler` when the channel is subscribed, and whenever `members()` has changed; returns what stops that. */
  onChange(handler: PresenceHandler<PresenceMember<C, K>>): () => void {
    const channel = this.#of.channels.get(this.#of.name);
    const off = channel.attendance.onMembers.add(handler as PresenceHandler<unknown>);
    return this.#of.keep(off, channel.hold(this.#of.options));
  }

  /**
   * Asks how many are there; needs no subscription and lists nobody.
   * @throws RunnelError as rejection, for instance `forbidden`, `timeout`
   */
  occupancy(options: CallOptions = {}): Promise<Occupancy> {
    const { channels, name } = this.#of;
    return channels.request({ channel: name, name: '$occupancy', data: null }, options) as Promise<Occupancy>;
  }

  /** The handle is closed. */
  close(): void {
    // Where it fails with the session, that has left as well.
    if (this.#hasEntered) this.leave().catch(() => {});
  }

  get #self(): object | null {
    return this.#hasEntered ? this : null;
  }
}

const NOBODY: readonly never[] = [];
