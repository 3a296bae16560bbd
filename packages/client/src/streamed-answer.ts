/** The answer to a request that `yields`: its parts one by one, and what it ends with. */
import { RunnelError } from '@runnel/protocol';
import { Inbox } from './inbox.ts';
import type { CallOptions, StreamedCall } from './shared-channels.ts';

export interface IterateOptions extends Pick<CallOptions, 'signal'> {
  /** How many parts may come before they are read: a handler that is further ahead waits. From 1 to 1,024. Default: 64. */
  readonly ahead?: number;
  /** The longest wait for the first or next part, or the end, while the app reads, ms. Default: the client's `timeoutMs`. */
  readonly timeoutMs?: number;
}

/** Parts as they come, read once. `break`, `return()` and the signal give it up, and the server's handler is told. */
export interface StreamedAnswer<Part, Output> extends AsyncIterableIterator<Part, undefined> {
  /**
   * What the answer ends with. It comes after the last part, so only once the parts are read. Rejects with what `next()` throws, or with `canceled` where
   * the parts were not read to the end; it need not be awaited.
   */
  readonly output: Promise<Output>;
  return(): Promise<IteratorResult<Part, undefined>>;
}

const AHEAD = 64;
/** PROTOCOL §3: what is allowed beyond does not count. */
const AHEAD_MAX = 1_024;

/** @param open makes the request */
export function streamAnswer(
  ahead: number = AHEAD,
  open: (call: StreamedCall) => { readonly allow: (parts: number) => void; readonly cancel: () => void },
): StreamedAnswer<unknown, unknown> {
  if (!(Number.isInteger(ahead) && ahead >= 1 && ahead <= AHEAD_MAX)) {
    throw new RangeError(`ahead is ${ahead}; it must be a whole number from 1 to ${AHEAD_MAX}.`);
  }
  /** Nothing more comes: it was answered, or given up. */
  let over = false;
  /** Parts that were read and not allowed anew. */
  let read = 0;
  const inbox = new Inbox<unknown>({
    bound: ahead,
    overflow: () => new RunnelError('protocol_error', 'The server sent more parts than it was allowed.'),
    // In halves: seldom, and in time for what is on its way.
    onRead: () => {
      read += 1;
      if (over || read * 2 < ahead) return;
      call.allow(read);
      read = 0;
    },
    onEnd: () => {
      if (over) return;
      over = true;
      call.cancel();
    },
  });
  let call = { allow: (_parts: number): void => {}, cancel: (): void => {} };
  const output = new Promise<unknown>((resolve, reject) => {
    const settle = (error: unknown, data?: unknown): void => {
      if (!over) {
        over = true;
        if (RunnelError.is(error) && error.code === 'canceled') inbox.clear();
        inbox.end(error);
      }
      if (error === null) resolve(data);
      else reject(error);
    };
    try {
      call = open({ credit: ahead, onPart: (part) => inbox.push(part), settle });
    } catch (error) {
      settle(error);
    }
  });
  // Who reads the parts only hears of it there.
  output.catch(() => {});
  return Object.assign(inbox, { output });
}
