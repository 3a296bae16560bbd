/** The answer to a request that `yields`, by callbacks. Stands in for `../streamed-answer.ts`. */
import { RunnelError } from '@runnel/protocol';
import type { StreamedCall } from '../shared-channels.ts';

/** Parts as they come, each given once. */
export interface LegacyAnswer<Part, Output> {
  /**
   * Calls `handler` with each part, at once with those that have come, and resolves with what the answer ends with. To be called once. Where `handler`
   * throws, the answer is given up.
   * @throws RunnelError as rejection, as `request` does; whatever `handler` throws
   */
  each(handler: (part: Part) => void): Promise<Output>;
  /** Gives it up: `each` rejects with `canceled`, and the server's handler is told. */
  cancel(): void;
}

const AHEAD = 64;
/** PROTOCOL §3: what is allowed beyond does not count. */
const AHEAD_MAX = 1_024;

/** @param open makes the request */
export function streamAnswer(
  ahead: number = AHEAD,
  open: (call: StreamedCall) => { readonly allow: (parts: number) => void; readonly cancel: () => void },
): LegacyAnswer<unknown, unknown> {
  if (!(Number.isInteger(ahead) && ahead >= 1 && ahead <= AHEAD_MAX)) {
    throw new RangeError(`ahead is ${ahead}; it must be a whole number from 1 to ${AHEAD_MAX}.`);
  }
  /** Parts that came before there was a handler: no more than were allowed. */
  const unread: unknown[] = [];
  let handler: ((part: unknown) => void) | null = null;
  /** It was answered, or given up. */
  let over = false;
  /** Parts that were handled and not allowed anew. */
  let handled = 0;
  let call = { allow: (_parts: number): void => {}, cancel: (): void => {} };
  let settle: StreamedCall['settle'] = () => {};

  const giveUp = (error: unknown): void => {
    settle(error as RunnelError);
    call.cancel();
  };
  const take = (part: unknown): void => {
    if (handler === null) {
      unread.push(part);
      if (unread.length > ahead) giveUp(new RunnelError('protocol_error', 'The server sent more parts than allowed.'));
      return;
    }
    try {
      handler(part);
    } catch (error) {
      handler = () => {};
      return giveUp(error);
    }
    handled += 1;
    // In halves: seldom, and in time for what is on its way.
    if (over || handled * 2 < ahead) return;
    call.allow(handled);
    handled = 0;
  };

  const output = new Promise<unknown>((resolve, reject) => {
    settle = (error, data) => {
      over = true;
      if (error === null) resolve(data);
      else reject(error);
    };
    try {
      call = open({ credit: ahead, onPart: take, settle });
    } catch (error) {
      settle(error as RunnelError);
    }
  });
  // Who reads the parts only hears of it there.
  output.catch(() => {});
  return {
    each: (given) => {
      handler = given;
      for (const part of unread.splice(0)) take(part);
      return output;
    },
    cancel: () => call.cancel(),
  };
}
