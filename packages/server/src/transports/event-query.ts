/** What a reader without the SDK asks for, in its URL and headers (PROTOCOL §11.1). */
import type { IncomingHttpHeaders } from 'node:http';
import { NAME_LIMITS, type Position, RunnelError, type SubscribeOptions } from '@runnel/protocol';

export interface EventQuery {
  readonly channel: string;
  readonly from: SubscribeOptions;
}

/**
 * Parameters that are not ours are the app's.
 *
 * @throws RunnelError `channel_invalid`, `protocol_error`, and nothing else whatever the request
 */
export function readEventQuery(url: string, headers: IncomingHttpHeaders): EventQuery {
  const at = url.indexOf('?');
  const query = new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
  const channel = query.get('channel') ?? '';
  if (channel === '') throw new RunnelError('channel_invalid', 'name a channel: ?channel=room/lobby');
  if (channel.length > NAME_LIMITS.channel) {
    throw new RunnelError('channel_invalid', `a channel name has at most ${NAME_LIMITS.channel} characters`);
  }
  const rewind = readRewind(query.get('rewind'));
  // What the reader had last tells more than what its URL was made with.
  const id = headers['last-event-id'] || query.get('lastEventId') || '';
  if (id !== '') return { channel, from: { since: readEventId(String(id)) } };
  return { channel, from: rewind === null ? {} : { rewind } };
}

/** The `id:` of an event. Readers give it back in a header, so it is plain ASCII. */
export function eventId({ epoch, offset }: Position): string {
  return `${encodeURIComponent(epoch)}-${offset}`;
}

/** @throws RunnelError `protocol_error` for what `eventId` has not made */
export function readEventId(id: string): Position {
  const dash = id.lastIndexOf('-');
  const digits = id.slice(dash + 1);
  const offset = Number(digits);
  const epoch = decoded(id.slice(0, Math.max(dash, 0)));
  if (dash < 0 || !isWhole(digits) || epoch === null || epoch.length > NAME_LIMITS.token || /\p{Cc}/u.test(epoch)) {
    throw new RunnelError('protocol_error', 'the last event id is none that was given here');
  }
  return { epoch, offset };
}

function readRewind(text: string | null): number | null {
  if (text === null) return null;
  if (isWhole(text)) return Number(text);
  throw new RunnelError('protocol_error', 'rewind is a number of messages');
}

const isWhole = (digits: string): boolean => /^\d{1,16}$/.test(digits) && Number.isSafeInteger(Number(digits));

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
