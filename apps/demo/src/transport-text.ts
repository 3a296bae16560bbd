import type { Attempt, Transport } from '@runnel/client';

/** Transports as they stand in a sentence. */
export const transportNames: Readonly<Record<Transport, string>> = {
  websocket: 'WebSocket',
  stream: 'the stream',
  poll: 'polling',
};

/** Transports from the best to the one that always gets through. */
const order: readonly Transport[] = ['websocket', 'stream', 'poll'];

export function isBetter(transport: Transport, than: Transport): boolean {
  return order.indexOf(transport) < order.indexOf(than);
}

/** How a link was lost: `went silent`, to be read after its name. */
export function lossText(reason: string): string {
  if (reason === 'silent') return 'went silent';
  if (reason === 'server_closing') return 'was closed by the server';
  return 'was cut';
}

/** What came of trying to get through: `got no answer in 8.0 s`. */
export function failureOfAttempt({ reason, step, tookMs }: Attempt): string {
  if (reason === 'no answer in time') return `got no answer in ${(tookMs / 1_000).toFixed(1)} s`;
  if (reason.startsWith('unreadable')) return "was answered by somebody in the server's place";
  if (reason === 'the connection broke') return step === 'open' ? 'could not be opened' : 'broke before it was proven';
  return `failed: ${reason}`;
}
