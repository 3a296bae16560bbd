import type { Contract, PatternOf, PresenceInput, PresenceMember, SubscribeOptions } from '@runnel/protocol';
import type { SharedChannels } from './shared-channels.ts';

/** One who is present in a channel, as the server vouches for. */
export interface Member<D> {
  /** The user, as the server's `authenticate` says; several sessions of one user are one member. */
  readonly id: string;
  readonly data: D;
  /** False while none of the member's sessions has a connection; the member leaves when that lasts too long. */
  readonly connected: boolean;
}

export interface PresenceOptions {
  readonly channels: SharedChannels;
  /** The channel's. */
  readonly name: string;
  readonly options: SubscribeOptions;
  /** Puts a handler on the list of the handle that this belongs to. */
  readonly keep: (off: () => void) => () => void;
}

/** Who is present in one channel, and whether we are. All of it subscribes the channel. */
export class ClientPresence<C extends Contract<C>, K extends PatternOf<C>> {
  readonly #of: PresenceOptions;
  /** Whether this handle has entered. */
  #entered = false;

  constructor(of: PresenceOptions) {
    this.#of = of;
  }

  /**
   * Is present with `data`, or with other data than before, until `leave()`, through lost sessions too.
   * @throws RunnelError as rejection; `forbidden` and the like for good, `timeout` and the like while it is tried again with the next session
   */
  async enter(data: PresenceInput<C, K>): Promise<void> {
    this.#entered = true;
    await this.#of.channels.get(this.#of.name).enter(data, this.#of.options);
  }

  /** Is present no more. */
  async leave(): Promise<void> {
    this.#entered = false;
    await this.#of.channels.find(this.#of.name)?.leave();
  }

  /** Who is present, as last heard; empty before the channel is subscribed. The same list until that changes. */
  members(): readonly Member<PresenceMember<C, K>>[] {
    return (this.#of.channels.find(this.#of.name)?.members ?? NOBODY) as readonly Member<PresenceMember<C, K>>[];
  }

  /** Calls `handler` whenever `members()` has changed; returns what stops that. */
  onChange(handler: (members: readonly Member<PresenceMember<C, K>>[]) => void): () => void {
    const channel = this.#of.channels.get(this.#of.name);
    const release = channel.hold(this.#of.options);
    const off = channel.onMembers.add(handler as (members: readonly Member<unknown>[]) => void);
    return this.#of.keep(() => {
      off();
      release();
    });
  }

  /** The handle is closed. */
  close(): void {
    if (this.#entered) this.leave().catch(() => {});
  }
}

const NOBODY: readonly never[] = [];
