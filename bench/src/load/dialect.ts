import type { Subscriber } from './subscriber.ts';

/** What a contender's subscribers speak over WebSocket frames. */
export interface Dialect {
  /** Where the WebSocket handshake goes; null for frames on a bare socket. */
  readonly path: string | null;
  /** The WebSocket is open. */
  open(subscriber: Subscriber): void;
  /** One text frame. */
  take(subscriber: Subscriber, bytes: Buffer, start: number, end: number): void;
}
