import type { SharedLine } from './shared-line.ts';

/** A message of a channel with its lines, which all its subscribers share. */
export interface LiveMessage {
  readonly offset: number;
  /** Offset of the message before it in the channel's log. */
  readonly prev: number;
  readonly lines: readonly SharedLine[];
  /** Of a `latestBy` event: event and key. A newer message with the same slot may take its place (PROTOCOL §5.23). */
  readonly slot: string | null;
}

/** What a message takes, about. */
export function bytesOf({ lines, slot }: LiveMessage): number {
  let bytes = slot === null ? 0 : slot.length;
  for (const { size } of lines) bytes += size;
  return bytes;
}
