/**
 * The latest messages of one channel, as a list that is replaced whenever it changes.
 *
 * Messages come from the subscription and, where that is asked for, from the channel's history, whose answer may be later than what it precedes. So counted
 * messages are put where their offset says, and one that is there already is left out: it came by both ways, or was there when the component came back.
 */
import { RunnelError } from '@runnel/client';
import type { EventMeta } from '@runnel/protocol';
import type { AnyChannel, AnyMessage } from './any-channel.ts';
import { followMessages } from './message-feed.ts';
import { throwLater } from './throw-later.ts';

export interface MessageListOptions {
  /** Null: all. */
  readonly events: readonly string[] | null;
  readonly limit: number;
  readonly initial: readonly AnyMessage[];
  /** How many messages of the channel's history to ask for; 0: none. */
  readonly history: number;
}

export class MessageList {
  readonly #channel: AnyChannel | null;
  readonly #options: MessageListOptions;
  #messages: readonly AnyMessage[];
  /** Set while somebody is subscribed to the list. */
  #notify: (() => void) | null = null;
  /** Whether the history has been read since then. */
  #isLoaded = false;
  /** Calls off the question for the history that is under way. */
  #loading = new AbortController();

  constructor(channel: AnyChannel | null, options: MessageListOptions) {
    const { initial, limit } = options;
    if (!(limit >= 1)) throw new RangeError(`limit is ${limit}; it must be at least 1.`);
    this.#channel = channel;
    this.#options = options;
    this.#messages = initial.slice(-limit);
  }

  /** A property, as `subscribe` is, so that it can be handed to React as it is. */
  readonly get = (): readonly AnyMessage[] => this.#messages;

  readonly subscribe = (notify: () => void): (() => void) => {
    const channel = this.#channel;
    if (channel === null) return () => {};
    const { events, history } = this.#options;
    this.#notify = notify;
    this.#isLoaded = false;
    const offs = [followMessages(channel, events, (message) => this.#add(message))];
    if (history > 0) {
      offs.push(channel.onState(() => this.#load(channel)));
      this.#load(channel);
    }
    return () => {
      for (const off of offs) off();
      this.#loading.abort();
      this.#notify = null;
    };
  };

  /** Reads the history once the channel is subscribed, so that there is no gap between the two, and again where a subscription has lost its position. */
  #load(channel: AnyChannel): void {
    const { state } = channel;
    if (state.status !== 'subscribed' || (this.#isLoaded && state.recovered === true)) return;
    const { events, history } = this.#options;
    this.#loading.abort();
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    channel.history({ limit: history, signal }).then(
      ({ messages }) => {
        if (signal.aborted) return;
        this.#isLoaded = true;
        for (const message of messages) if (events === null || events.includes(message.event)) this.#add(message);
      },
      (error: unknown) => {
        // What may go better next time is asked with the next subscription.
        if (!signal.aborted && !(RunnelError.is(error) && error.retryable)) throwLater(error);
      },
    );
  }

  #add(message: AnyMessage): void {
    const messages = this.#messages;
    const { meta } = message;
    let at = messages.length;
    // Volatile messages have no place but the one where they came, nor have any others before a log that began anew.
    for (let i = meta.offset === null ? 0 : at; i > 0; i -= 1) {
      const other = (messages[i - 1] as AnyMessage).meta;
      if (other.offset === null) continue;
      if (other.id === meta.id) return;
      if (epochOf(other) !== epochOf(meta) || other.offset < (meta.offset as number)) break;
      at = i - 1;
    }
    this.#messages = [...messages.slice(0, at), message, ...messages.slice(at)].slice(-this.#options.limit);
    this.#notify?.();
  }
}

/** A counted message's id is its log's epoch and its offset. */
function epochOf({ id, offset }: EventMeta): string | undefined {
  return id?.slice(0, -`${offset}`.length);
}
