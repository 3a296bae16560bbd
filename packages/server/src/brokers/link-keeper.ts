/**
 * A broker's connection to its server, over as many links as it takes: a link that breaks, or does not answer, is given up, and another is
 * opened after a pause that grows. Meanwhile calls fail at once. A link counts as open when it has every topic.
 */
import { RunnelError } from '@runnel/protocol';
import type { Backoff } from './backoff.ts';
import { asBrokerFailed, PendingCalls } from './pending-calls.ts';
import { Watchers } from './watchers.ts';

/** One life of the connections to a server: from `open` until it breaks or is closed. */
export interface Link {
  open(): Promise<void>;
  /** Resolves when every connection has answered. */
  ping(): Promise<unknown>;
  /** Resolves when everything published to the topics from then on comes. */
  subscribe(topics: readonly string[]): Promise<void>;
  unsubscribe(topic: string): void;
  /** Nothing comes of it any more. */
  close(): void;
}

/** What a link tells of itself. */
export interface LinkEvents {
  /** The link is of no more use. */
  readonly onBroken: (cause: unknown) => void;
  /** A part of it was, and works again: messages may have been missed. */
  readonly onMended: () => void;
}

export interface LinkKeeperOptions<L extends Link> {
  /** Of the server, for messages. */
  readonly server: string;
  readonly createLink: (events: LinkEvents) => L;
  readonly backoff: Backoff;
  readonly timeoutMs: number;
  /** Calls under way at a time. */
  readonly callsMax: number;
  /** What they carry at a time, UTF-16 units. */
  readonly lengthMax: number;
  /** Where messages are to come from, whenever a link is opened. */
  readonly topics: () => readonly string[];
}

/** A link that has been open for so long has shown that it works, ms. */
const SETTLED_MS = 2_000;

type State<L> =
  | { readonly is: 'opening'; readonly link: L }
  /** `since`: when it was opened, or mended last. */
  | { readonly is: 'open'; readonly link: L; readonly at: number; readonly since: number }
  | { readonly is: 'waiting'; readonly timer: NodeJS.Timeout }
  | { readonly is: 'closed' };

export class LinkKeeper<L extends Link> {
  readonly watchers: Watchers = new Watchers();
  readonly #options: LinkKeeperOptions<L>;
  readonly #pending: PendingCalls;
  /** Asks whether the link still answers, which shows a path that swallows everything. */
  readonly #pulse: NodeJS.Timeout;
  #state: State<L>;
  /** Settles with the first attempt to open a link: calls wait for that one, and for no other. */
  readonly #begun: Promise<void>;
  #endBegin: () => void = () => {};

  constructor(options: LinkKeeperOptions<L>) {
    this.#options = options;
    const { server, callsMax, lengthMax, timeoutMs } = options;
    const onOverdue = (): void =>
      this.#give(new RunnelError('broker_failed', `${server} was silent for ${timeoutMs} ms`));
    this.#pending = new PendingCalls({ callsMax, lengthMax, timeoutMs, onOverdue });
    this.#begun = new Promise((resolve) => {
      this.#endBegin = resolve;
    });
    this.#state = this.#open();
    this.#pulse = setInterval(() => this.#beat(), timeoutMs / 2).unref();
  }

  /** For how long no part of the connection has failed, ms; 0 while there is none. */
  get steadyMs(): number {
    return this.#state.is === 'open' ? performance.now() - this.#state.since : 0;
  }

  /** Does what a link is needed for. @param length what it carries, UTF-16 units */
  async call<T>(run: (link: L) => Promise<T>, length = 0): Promise<T> {
    const state = this.#state;
    if (state.is === 'open') return this.#pending.run(() => run(state.link), length);
    await this.#pending.run(() => this.#begun, length);
    const now = this.#state;
    if (now.is === 'open') return this.#pending.run(() => run(now.link), length);
    throw now.is === 'closed' ? closed() : this.#outOfReach();
  }

  /** Does what may as well not be done. */
  tell(run: (link: L) => void): void {
    if (this.#state.is !== 'open') return;
    try {
      run(this.#state.link);
    } catch {
      // The link has just broken, and will say so; or it is more than the server takes.
    }
  }

  subscribe(topic: string): Promise<void> {
    return this.call((link) => link.subscribe([topic]));
  }

  unsubscribe(topic: string): void {
    if ('link' in this.#state) this.#state.link.unsubscribe(topic);
  }

  close(): void {
    const state = this.#state;
    this.#state = { is: 'closed' };
    clearInterval(this.#pulse);
    if (state.is === 'waiting') clearTimeout(state.timer);
    else if (state.is !== 'closed') state.link.close();
    this.#pending.failAll(closed());
    this.#endBegin();
  }

  #open(): State<L> {
    const link = this.#options.createLink({
      onBroken: (cause) => {
        if (this.#has(link)) this.#give(cause);
      },
      onMended: () => {
        if (this.#state.is !== 'open' || !this.#has(link)) return;
        this.#state = { ...this.#state, since: performance.now() };
        this.watchers.lost(new RunnelError('broker_failed', 'a part of the server was out of reach'));
        this.watchers.restored();
      },
    });
    void this.#pending
      .run(async () => {
        await link.open();
        await link.subscribe(this.#options.topics());
      })
      .then(
        () => this.#opened(link),
        (cause: unknown) => {
          if (this.#has(link)) this.#give(cause);
        },
      );
    return { is: 'opening', link };
  }

  #opened(link: L): void {
    if (!this.#has(link)) return;
    const now = performance.now();
    this.#state = { is: 'open', link, at: now, since: now };
    this.#endBegin();
    this.watchers.restored();
  }

  /** Gives the link up for another. */
  #give(cause: unknown): void {
    const state = this.#state;
    if (state.is !== 'opening' && state.is !== 'open') return;
    // A link that opens and breaks again is no reason to be quick.
    if (state.is === 'open' && performance.now() > state.at + SETTLED_MS) this.#options.backoff.reset();
    const timer = setTimeout(() => {
      this.#state = this.#open();
    }, this.#options.backoff.nextMs()).unref();
    this.#state = { is: 'waiting', timer };
    state.link.close();
    this.#endBegin();
    this.#pending.failAll(asBrokerFailed(cause));
    this.watchers.lost(cause);
  }

  #beat(): void {
    const { is } = this.#state;
    // A link that does not answer is given up by what waits for its calls.
    if (is === 'open') this.call((link) => link.ping()).catch(() => {});
  }

  #outOfReach(): RunnelError {
    return new RunnelError('broker_failed', `${this.#options.server} is out of reach; try again later`);
  }

  #has(link: L): boolean {
    return 'link' in this.#state && this.#state.link === link;
  }
}

const closed = (): RunnelError => new RunnelError('broker_failed', 'the broker is closed');
