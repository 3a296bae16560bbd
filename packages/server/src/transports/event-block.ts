/**
 * Frames as blocks of an event stream (PROTOCOL §11.2). What is sent to many is one line, and becomes one block, however many readers follow the channel: a
 * line names channel and event by numbers, which mean the same to all who are sent that line, for as long as it lives.
 */
import { type DownFrame, encodeData, FragmentJoiner, readDown, Type } from '@runnel/protocol';
import type { SharedLine } from '../shared-line.ts';
import { eventId } from './event-query.ts';

/** Names by which a channel's frames are read. */
export interface ChannelNames {
  readonly epoch: string;
  /** Event names by index. */
  readonly events: readonly string[];
}

/** What a line brings to a reader. */
export type FeedItem =
  /** A message, or where `place` is null a volatile one. */
  | { readonly block: Buffer; readonly place: { readonly offset: number; readonly prev: number } | null }
  /** The beginning of something larger. */
  | 'part'
  /** Something about the session or subscription. */
  | { readonly frame: DownFrame | null };

const PART = 'part';
const shared = new WeakMap<SharedLine, Extract<FeedItem, { block: Buffer }> | 'part'>();

/** Takes the lines of one session, in order. */
export class FeedLines {
  readonly #joinedBytesMax: number;
  /** Fragments of the frame that is coming in. */
  #fragments: SharedLine[] = [];

  /** @param joinedBytesMax of a frame that came in fragments */
  constructor(joinedBytesMax: number) {
    this.#joinedBytesMax = joinedBytesMax;
  }

  read(line: SharedLine, names: ChannelNames): FeedItem {
    const known = shared.get(line);
    if (known === PART) this.#fragments.push(line);
    else if (known !== undefined) this.#fragments = [];
    if (known !== undefined) return known;
    let frame = readDown(line.text);
    if (frame?.[0] === Type.fragment) {
      this.#fragments.push(line);
      if (frame[1] === 1) {
        shared.set(line, PART);
        return PART;
      }
      frame = this.#joined();
    }
    const item = frame === null ? null : messageItem(frame, names);
    if (item === null) return { frame };
    shared.set(line, item);
    return item;
  }

  #joined(): DownFrame | null {
    const joiner = new FragmentJoiner(this.#joinedBytesMax);
    let text: string | null = null;
    for (const line of this.#fragments) {
      const frame = readDown(line.text);
      if (frame?.[0] === Type.fragment) text = joiner.push(frame);
    }
    this.#fragments = [];
    return text === null ? null : readDown(text);
  }
}

function messageItem(frame: DownFrame, { epoch, events }: ChannelNames): Extract<FeedItem, { block: Buffer }> | null {
  if (frame[0] === Type.message) {
    const [, , at, index, data] = frame;
    const [offset, prev] = typeof at === 'number' ? [at, at - 1] : at;
    const event = events[index] ?? '';
    return { block: eventBlock(event, data, eventId({ epoch, offset })), place: { offset, prev } };
  }
  if (frame[0] === Type.volatile) {
    const [, , index, data] = frame;
    return { block: eventBlock(events[index] ?? '', data), place: null };
  }
  return null;
}

/** `data` goes out in its wire form, which has no line end in it. */
export function eventBlock(event: string, data: unknown, id?: string): Buffer {
  // A contract may name an event as it likes; a line end would begin another field.
  const name = event.replace(/[\r\n]/g, ' ');
  const place = id === undefined ? '' : `id: ${id}\n`;
  return Buffer.from(`event: ${name}\n${place}data: ${encodeData(data)}\n\n`);
}

/** A comment, which readers ignore: the connection is seen to live. */
export const HEARTBEAT: Buffer = Buffer.from(':\n\n');

/** How long a reader waits before it connects again, ms. */
export function retryBlock(ms: number): Buffer {
  return Buffer.from(`retry: ${ms}\n\n`);
}
