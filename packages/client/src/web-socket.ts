/** One WebSocket, from its opening to its end. */
import { closeCodeOf, LineReader } from '@runnel/protocol';
import type { Carrier, CarrierEvents } from './carrier.ts';
import type { WebSocketConstructor, WebSocketLike } from './environment.ts';

/** RFC 6455 §5.5 allows 123 bytes; a UTF-16 unit takes three at most. */
const REASON_CHARS_MAX = 41;

export interface SocketOptions {
  /** Where it is not at hand, a promise of it. */
  readonly WebSocket: WebSocketConstructor | Promise<WebSocketConstructor>;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly events: CarrierEvents;
}

/** What an error says, whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export function openSocket({ WebSocket, url, headers, events }: SocketOptions): Carrier {
  /** Null before it is made and after it is over. */
  let socket: WebSocketLike | null = null;
  let over = false;

  const drop = (code: number, reason: string): void => {
    over = true;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    // The package `ws` reports a socket that is closed before it is open as an error, which somebody has to hear.
    socket.onerror = () => {};
    try {
      socket.close(code, reason.slice(0, REASON_CHARS_MAX));
    } catch {
      // It is not to be heard of any more, whatever it makes of the code.
    }
    socket = null;
  };

  const fail = (reason?: string): void => {
    if (over) return;
    drop(closeCodeOf('frame_too_large'), 'a line is too long');
    events.end({ ok: false }, reason);
  };

  const open = (Constructor: WebSocketConstructor): void => {
    if (over) return;
    try {
      const hasHeaders = Object.keys(headers).length > 0;
      socket = hasHeaders ? new Constructor(url, { headers } as never) : new Constructor(url);
    } catch (error) {
      fail(String(error));
      return;
    }
    // Node 22 says no more than this of a connection that could not be opened; elsewhere `close` follows, and tells nothing new.
    socket.onerror = ({ message }: { message?: string }) => {
      if (over) return;
      drop(closeCodeOf('closed'), '');
      events.end({ ok: false, reason: message });
    };
    socket.onopen = () => {
      if (socket !== null) socket.onerror = () => {};
      events.open();
    };
    socket.onmessage = ({ data }: { data: unknown }) => {
      if (typeof data !== 'string') return;
      let lines: readonly string[];
      try {
        // The last line of a message may lack its end.
        lines = new LineReader().push(`${data}\n`);
      } catch {
        return fail();
      }
      events.lines(lines);
    };
    socket.onclose = ({ code }: { code: number }) => {
      over = true;
      socket = null;
      events.end({ ok: false, code });
    };
  };

  if (typeof WebSocket === 'function') open(WebSocket);
  else WebSocket.then(open, (error: unknown) => fail(messageOf(error)));
  return { send: (text) => socket?.send(text), drop };
}
