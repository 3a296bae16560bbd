import type { ClientChannel, EventMeta, SubscriptionState } from '@runnel/client';
import { type Contract, type EventName, type EventPayload, type PatternOf, RunnelError } from '@runnel/protocol';

/** An event, as a handler is given it. */
export interface Received<T> {
  readonly data: T;
  readonly meta: EventMeta;
}

export interface NextOptions<T> {
  /** Passes over events that are not like this. Default: none is passed over. */
  readonly where?: (data: T, meta: EventMeta) => boolean;
  /** How long to wait, ms. Default: 1,000. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 1_000;

/**
 * Resolves with the next event of this name that comes to the channel, which it subscribes if nothing else has. Call it before what causes the event, and
 * after `await channel.ready()` where that is caused by somebody else:
 *
 * @example
 * await room.ready();
 * const heard = next(room, 'message');
 * await lobby.broadcast('message', { text: 'hi' });
 * expect((await heard).data.text).toBe('hi');
 *
 * @throws RunnelError as rejection: `timeout`, or the code with which the subscription fails
 */
export function next<C extends Contract<C>, K extends PatternOf<C>, E extends EventName<C, K>>(
  channel: ClientChannel<C, K>,
  event: E,
  { where = () => true, timeoutMs = TIMEOUT_MS }: NextOptions<EventPayload<C, K, E>> = {},
): Promise<Received<EventPayload<C, K, E>>> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      offEvent();
      offState();
    };
    const fail = (error: unknown): void => {
      stop();
      reject(error);
    };
    const timer = setTimeout(() => {
      const { status } = channel.state;
      const why = `No "${event}" came to ${channel.name} within ${timeoutMs} ms; the channel is ${status}.`;
      fail(new RunnelError('timeout', why));
    }, timeoutMs);
    const offEvent = channel.on(event, (data, meta) => {
      try {
        if (!where(data, meta)) return;
        stop();
        resolve({ data, meta });
      } catch (error) {
        fail(error);
      }
    });
    const look = (state: SubscriptionState): void => {
      const forGood =
        state.status === 'failed' && (state.retryAt === null || state.retryAt === Number.POSITIVE_INFINITY);
      if (forGood) fail(new RunnelError(state.code, state.message));
    };
    const offState = channel.onState(look);
    look(channel.state);
  });
}
