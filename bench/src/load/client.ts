import type { CallKind } from '../messages.ts';

/** What a client knows of its place in the crowd, and whom it tells what has come. */
export interface Seat {
  readonly index: number;
  readonly port: number;
  /** Where it POSTs beside a stream or a poll. */
  readonly postPort: number;
  /** Where it subscribes when it connects. */
  readonly channels: readonly number[];
  /** Whether it offers compression. */
  readonly deflate: boolean;
  /** Whether the content of what it gets is compared. */
  readonly sampled: boolean;
  /** It is subscribed to whatever it has asked for. */
  ready(): void;
  /** A message whose payload ends at `end`. */
  message(bytes: Buffer, end: number): void;
  /** The answer to a call; where it has a payload, that ends at `end`. */
  answer(bytes: Buffer, end: number): void;
  /** So many bytes have come, of whatever. */
  received(bytes: number): void;
  fail(message: string): void;
}

/** A connection that speaks its contender's protocol, as little of it as its work needs. It never parses JSON. */
export interface Client {
  /** Calls with a number of its own and a payload as JSON; the answer is told to the seat. */
  call?(kind: CallKind, id: number, payload: string): void;
  /** Subscribes to more channels; `ready` when it is. */
  subscribe?(channels: readonly number[]): void;
  close(): void;
}
