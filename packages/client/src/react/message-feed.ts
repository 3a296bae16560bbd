import type { AnyChannel, AnyMessage } from './any-channel.ts';

/** Calls `next` with each message of the events, or of all with null, until what this returns is called. Subscribes the channel. */
export function followMessages(
  channel: AnyChannel,
  events: readonly string[] | null,
  next: (message: AnyMessage) => void,
): () => void {
  if (events === null) return followAll(channel, next);
  const offs = events.map((event) => channel.on(event, (data, meta) => next({ event, data, meta })));
  return () => {
    for (const off of offs) off();
  };
}

/** An observation ends with the client or with a refusal. It begins anew with the subscription, which is kept meanwhile, and so is its position. */
function followAll(channel: AnyChannel, next: (message: AnyMessage) => void): () => void {
  let unsubscribe: (() => void) | null = null;
  const observe = (): void => {
    const ended = (): void => {
      unsubscribe = null;
    };
    const observed = channel.observe().subscribe({ next, error: ended, complete: ended });
    unsubscribe = () => observed.unsubscribe();
  };
  // Only to keep the subscription.
  const release = channel.presence.onChange(() => {});
  const off = channel.onState(({ status }) => {
    if (status === 'subscribing' && unsubscribe === null) observe();
  });
  observe();
  return () => {
    off();
    release();
    unsubscribe?.();
  };
}
