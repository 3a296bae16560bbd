/** A WebSocket or a request, as the driver handles both. */
import type { CarrierEnd } from '@runnel/protocol';

export interface Carrier {
  send(text: string): void;
  /** Closes or aborts it. No event comes after. */
  drop(code: number, reason: string): void;
}

export interface CarrierEvents {
  open(): void;
  /** Bytes have come, and with them these whole lines. */
  lines(lines: readonly string[]): void;
  /** It is over. Comes once, and last. `reason` where more is known than `end` says. */
  end(end: CarrierEnd, reason?: string): void;
}
