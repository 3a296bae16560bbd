import type { SubscriptionState } from '../../src/channels/subscription.ts';
import type { ClosingCode, Code } from '../../src/errors.ts';
import type { ConnectionState } from '../../src/session/client/ports.ts';
import type { Assert, Equal } from '../contract/equal.ts';

/** What an app may say to its user. Every way to be closed has its words, or this does not compile. */
export function inWords(state: ConnectionState): string {
  if (!('willReconnect' in state)) return state.status;
  if (state.willReconnect) {
    type Reconnecting = Assert<[Equal<typeof state.code, Code>, Equal<typeof state.status, 'reconnecting'>]>;
    const typed: Reconnecting = [true, true];
    return `${state.code}: again at ${state.retryAt} ${typed}`;
  }
  type Closed = Assert<[Equal<typeof state.code, ClosingCode>, Equal<typeof state.status, 'closed'>]>;
  const typed: Closed = [true, true];
  void typed;
  switch (state.code) {
    case 'closed':
      return 'bye';
    case 'kicked':
      return 'you were thrown out';
    case 'unauthorized':
    case 'credentials_expired':
    case 'forbidden':
      return 'log in again';
    case 'forbidden_origin':
    case 'version_unsupported':
    case 'protocol_error':
    case 'frame_too_large':
      return 'reload the page';
  }
}

export function failure(state: SubscriptionState): Code | null {
  return state.status === 'failed' ? state.code : null;
}
