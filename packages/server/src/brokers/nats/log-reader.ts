/**
 * Reads a channel's log from its stream. Sequence numbers are the stream's, so those of one channel have holes; what follows on what is
 * worked out from what the stream still has.
 *
 * Nothing is missing after a position where the stream still has a message of the channel at or before it: the oldest go first. Without
 * such a message nothing is missing either where the channel never had to give way to newer messages, and the stream has kept everything
 * since that position.
 */
import type { Msg } from '@nats-io/transport-node';
import type { HistoryBounds, LogEntry, LogRead, ReadQuery } from '../broker.ts';
import { entryOfText } from '../entry-text.ts';
import type { NatsLink } from './link.ts';
import { epochOf, type StreamInfo } from './streams.ts';

export interface LogSource {
  readonly stream: string;
  readonly subject: string;
  readonly bounds: HistoryBounds | null;
}

/** Messages asked for at a time. */
const BATCH = 256;

interface Stored extends Omit<LogEntry, 'prev'> {
  readonly at: number;
}

interface ConsumerInfo {
  readonly name: string;
  /** The server's time. */
  readonly created: string;
  readonly num_pending: number;
}

export async function readLog(
  link: NatsLink,
  source: LogSource,
  { since, before, limit }: ReadQuery,
): Promise<LogRead> {
  const { stream, subject, bounds } = source;
  // In this order, so that what comes meanwhile makes an answer less complete, and never more.
  const info = await link.api<StreamInfo>(`STREAM.INFO.${stream}`, { subjects_filter: subject });
  const [oldest, newest] = await Promise.all([
    sequenceOf(link, stream, { seq: 1, next_by_subj: subject }),
    sequenceOf(link, stream, { last_by_subj: subject }),
  ]);
  const { first_seq: firstKept, last_seq: last, subjects } = info.state;
  const epoch = epochOf(info.config);
  const head = newest ?? last;
  const count = subjects?.[subject] ?? 0;
  const size = bounds?.size ?? 0;
  const known = since === undefined || (since.epoch === epoch && since.offset <= Math.max(head, last));
  const after = since !== undefined && known ? since.offset : 0;
  const hasAll = (oldest !== null && oldest <= after) || (count <= size && firstKept <= after + 1);
  /** The newest that is beyond the bounds. */
  let dropped = oldest !== null && count > size ? oldest : 0;
  const entries: Stored[] = [];
  const most = limit ?? Number.POSITIVE_INFINITY;
  if (size > 0 && most > 0 && head > after && oldest !== null) {
    for await (const { message, now } of messagesAfter(link, source, after)) {
      const stored: Stored = { ...entryOfText(message.string()), ...placeOf(message.reply ?? '') };
      if (stored.offset >= (before ?? Number.POSITIVE_INFINITY)) break;
      if (stored.offset <= dropped || now >= stored.at + (bounds?.ttlMs ?? 0))
        dropped = Math.max(dropped, stored.offset);
      else entries.push(stored);
      if (since !== undefined && entries.length >= most) break;
    }
  }
  const isComplete =
    known && (since === undefined || (newest !== null && after >= newest) || (hasAll && dropped <= after));
  const linked = linkedFrom(since !== undefined && isComplete ? after : dropped, entries);
  return { epoch, head, complete: isComplete, entries: since === undefined ? linked.slice(-most) : linked };
}

/** The newest message of every subject of a stream that keeps one of each. */
export async function readAll(link: NatsLink, source: Pick<LogSource, 'stream' | 'subject'>): Promise<readonly Msg[]> {
  const found: Msg[] = [];
  for await (const { message } of messagesAfter(link, source, 0)) found.push(message);
  return found;
}

/** The messages of a subject, oldest first, with the server's time. */
async function* messagesAfter(
  link: NatsLink,
  { stream, subject }: Pick<LogSource, 'stream' | 'subject'>,
  after: number,
): AsyncGenerator<{ readonly message: Msg; readonly now: number }> {
  const consumer = await link.api<ConsumerInfo>(`CONSUMER.CREATE.${stream}`, {
    stream_name: stream,
    config: {
      filter_subject: subject,
      deliver_policy: 'by_start_sequence',
      opt_start_seq: after + 1,
      ack_policy: 'none',
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: 30_000_000_000,
    },
  });
  const now = Date.parse(consumer.created);
  try {
    for (let waiting = consumer.num_pending; waiting > 0; ) {
      const messages = await link.next(stream, consumer.name, Math.min(waiting, BATCH));
      waiting = messages.length === 0 ? 0 : waiting - messages.length;
      for (const message of messages) yield { message, now };
    }
  } finally {
    // It would go by itself, only later.
    link.api(`CONSUMER.DELETE.${stream}.${consumer.name}`).catch(() => {});
  }
}

/** Each with the offset of the one before it. Before the first is `start`, or, where that is not known (0), what is just below it. */
function linkedFrom(start: number, entries: readonly Stored[]): LogEntry[] {
  let prev = start > 0 ? start : (entries[0]?.offset ?? 1) - 1;
  return entries.map(({ at: _, ...entry }) => {
    const linked = { ...entry, prev };
    prev = entry.offset;
    return linked;
  });
}

/** Sequence number and time of a message that a consumer brings: `$JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<n>.<seq>.<n>.<ns>.…` */
function placeOf(reply: string): { readonly offset: number; readonly at: number } {
  const tokens = reply.split('.');
  const first = tokens.length > 9 ? 4 : 2;
  return { offset: Number(tokens[first + 3]), at: Number(tokens[first + 5]) / 1_000_000 };
}

async function sequenceOf(link: NatsLink, stream: string, query: object): Promise<number | null> {
  const message = await link.get(stream, query);
  return message === null ? null : Number(message.headers?.get('Nats-Sequence'));
}
