/** Messages for libraries that speak of observables, by the protocol that they share: `from(room.observe())` is one of RxJS. */
import type { RunnelError } from '@runnel/protocol';
import type { Sink } from './shared-channel.ts';

declare global {
  interface SymbolConstructor {
    readonly observable: symbol;
  }
}

/** What is told of the messages to one who observes them. */
export interface MessageObserver<M> {
  readonly next?: (message: M) => void;
  /** The subscription has failed for good; nothing follows. */
  readonly error?: (error: RunnelError) => void;
  /** The handle or the client was closed; nothing follows. */
  readonly complete?: () => void;
}

/** The messages of a channel from `subscribe` on, as they come. Nothing is kept: what an observer throws goes to the client's `onError`. */
export interface MessageObservable<M> {
  subscribe(observer: MessageObserver<M> | ((message: M) => void)): { unsubscribe(): void };
  [Symbol.observable](): MessageObservable<M>;
}

/** @param feed begins to fill a sink; returns what stops that */
export function observeMessages(feed: (sink: Sink) => () => void): MessageObservable<unknown> {
  const observable = {
    subscribe(given: MessageObserver<unknown> | ((message: unknown) => void)) {
      const observer = typeof given === 'function' ? { next: given } : given;
      let observed = true;
      const stop = feed({
        next: (message) => observer.next?.(message),
        end: (error) => {
          if (!observed) return;
          if (error === null) observer.complete?.();
          else observer.error?.(error);
        },
      });
      return {
        unsubscribe() {
          observed = false;
          stop();
        },
      };
    },
    '@@observable': () => observable,
    [Symbol.observable ?? '@@observable']: () => observable,
  };
  return observable;
}
