/**
 * One channel of one client, shared by all handles of its name. It is subscribed for as long as anything *holds* it: an event handler, presence, a wait
 * for `ready`. What only looks on, such as a handler of state changes, keeps the object but not the subscription.
 */
import {
  type EventMeta,
  type Gap,
  type PresenceEntry,
  RunnelError,
  type SubscribeOptions,
  type SubscriptionListener,
  type SubscriptionState,
} from '@runnel/protocol';
import { Listeners, type Report } from './listeners.ts';

export interface SharedChannelOptions {
  readonly name: string;
  readonly report: Report;
  /** The number of holds or uses has come to nothing or to one. */
  readonly changed: (channel: SharedChannel) => void;
  /** Asks a request of the channel. */
  readonly request: (method: string, data: unknown) => Promise<unknown>;
}

interface Entered {
  readonly data: unknown;
  /** Lets go of the channel. */
  readonly release: () => void;
  /** Whether the server was asked. From then on each new subscription asks again, for the server knows nothing of it. */
  tried: boolean;
}

const IDLE: SubscriptionState = { status: 'idle' };

export class SharedChannel implements SubscriptionListener {
  readonly #options: SharedChannelOptions;
  readonly #handlers = new Map<string, Listeners<[data: unknown, meta: EventMeta]>>();
  readonly onState: Listeners<[state: SubscriptionState]>;
  readonly onGap: Listeners<[gap: Gap]>;
  readonly onMembers: Listeners<[members: readonly PresenceEntry[]]>;
  /** What the subscription is opened with: as the first one who holds it asks. */
  options: SubscribeOptions = {};
  #state: SubscriptionState = IDLE;
  #members: readonly PresenceEntry[] = [];
  #holds = 0;
  #uses = 0;
  /** Those who wait to be `ready`. */
  readonly #waiting = new Set<(state: SubscriptionState) => void>();
  /** What we are present with; null while we are not. */
  #entered: Entered | null = null;

  constructor(options: SharedChannelOptions) {
    this.#options = options;
    this.onState = new Listeners(options.report);
    this.onGap = new Listeners(options.report);
    this.onMembers = new Listeners(options.report);
  }

  get name(): string {
    return this.#options.name;
  }
  get current(): SubscriptionState {
    return this.#state;
  }
  /** Who is present, as last heard. The same list until that changes. */
  get members(): readonly PresenceEntry[] {
    return this.#members;
  }
  get held(): boolean {
    return this.#holds > 0;
  }
  get used(): boolean {
    return this.#uses > 0;
  }

  handlersOf(event: string): Listeners<[data: unknown, meta: EventMeta]> {
    let handlers = this.#handlers.get(event);
    if (handlers === undefined) {
      handlers = new Listeners(this.#options.report);
      this.#handlers.set(event, handlers);
    }
    return handlers;
  }

  /** Keeps the object; returns what lets it go. */
  use(): () => void {
    return this.#count(0);
  }

  /** Keeps the subscription; returns what lets it go. */
  hold(options: SubscribeOptions): () => void {
    if (this.#holds === 0) this.options = options;
    return this.#count(1);
  }

  #count(hold: 0 | 1): () => void {
    let counted = true;
    this.#uses += 1;
    this.#holds += hold;
    if (this.#holds === hold) this.#options.changed(this);
    return () => {
      if (!counted) return;
      counted = false;
      this.#uses -= 1;
      this.#holds -= hold;
      this.#options.changed(this);
    };
  }

  /** Resolves once it is subscribed. @throws RunnelError with the code it fails with, unless it is tried again by itself */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (state: SubscriptionState): void => {
        if (state.status === 'subscribed') resolve();
        else if (state.status === 'failed' && (state.retryAt === null || state.retryAt === Number.POSITIVE_INFINITY)) {
          reject(new RunnelError(state.code, state.message));
        } else if (state.status === 'idle' && this.#waiting.has(look)) {
          reject(new RunnelError('canceled', `Nobody wants ${this.name} any more.`));
        } else {
          this.#waiting.add(look);
          return;
        }
        this.#waiting.delete(look);
      };
      look(this.#state);
    });
  }

  // ——— presence ———

  /** Is present with `data` from here on, in later sessions too; resolves when the server has said so. */
  async enter(data: unknown, options: SubscribeOptions): Promise<void> {
    const entered: Entered = { data, release: this.hold(options), tried: false };
    this.#entered?.release();
    this.#entered = entered;
    try {
      await this.ready();
    } catch (error) {
      this.#giveUp(entered);
      throw error;
    }
    if (this.#entered === entered) await this.#enter(entered);
  }

  async leave(): Promise<void> {
    const entered = this.#entered;
    if (entered === null) return;
    this.#entered = null;
    try {
      if (this.#state.status === 'subscribed') await this.#options.request('$leave', null);
    } finally {
      entered.release();
    }
  }

  async #enter(entered: Entered): Promise<void> {
    entered.tried = true;
    try {
      await this.#options.request('$enter', entered.data);
    } catch (error) {
      // What may go better next time is tried again with the next subscription.
      if (!(RunnelError.is(error) && error.retryable)) this.#giveUp(entered);
      throw error;
    }
  }

  #giveUp(entered: Entered): void {
    if (this.#entered === entered) this.#entered = null;
    entered.release();
  }

  // ——— SubscriptionListener ———

  state(state: SubscriptionState): void {
    this.#state = state;
    for (const look of [...this.#waiting]) look(state);
    this.onState.emit(state);
    if (state.status === 'subscribed' && this.#entered?.tried) this.#enter(this.#entered).catch(() => {});
  }

  message(event: string, data: unknown, meta: EventMeta): void {
    this.#handlers.get(event)?.emit(data, meta);
  }

  gap(gap: Gap): void {
    this.onGap.emit(gap);
  }

  presence(members: ReadonlyMap<string, PresenceEntry>): void {
    this.#members = [...members.values()];
    this.onMembers.emit(this.#members);
  }

  /** Nobody holds it, or not any more. */
  idle(): void {
    this.#members = [];
    if (this.#state !== IDLE) this.state(IDLE);
    for (const look of [...this.#waiting]) look(IDLE);
  }
}
