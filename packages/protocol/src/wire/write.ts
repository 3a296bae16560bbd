/** Writing frames as lines (PROTOCOL §2, §3). No line here ends with its `\n`: callers join lines, and end the last one where the carrier asks for it. */
import type { Limits } from '../limits.ts';
import { ENVELOPE_LEVELS_MAX, PAYLOAD_LEVELS_MAX, toWire } from './binary.ts';
import { type DownFrame, type MessageMeta, Type, type UpFrame } from './frames.ts';
import { fitsUtf8, isPair } from './utf8.ts';

/**
 * The line of `frame`.
 * @throws RunnelError `validation_failed`, naming the path, for a payload that no line can carry: a bigint, function, symbol, Map, circular value …
 */
export function encodeFrame(frame: UpFrame | DownFrame): string {
  const [type] = frame;
  const deep = type === Type.subscribed || type === Type.presence;
  return JSON.stringify(toWire(frame, PAYLOAD_LEVELS_MAX + (deep ? ENVELOPE_LEVELS_MAX : 1), 1));
}

/** The JSON of one payload, for the lines that are put together from it. `undefined` becomes `null`. @throws as `encodeFrame` */
export function encodeData(data: unknown): string {
  return JSON.stringify(toWire(data)) ?? 'null';
}

/** PROTOCOL §4.3: the line of an acknowledgement. */
export function ackLine(rx: number): string {
  return `[${Type.ack},${rx}]`;
}

export interface MessageParts {
  /** The channel's number (PROTOCOL §5.17). */
  readonly channel: number;
  readonly offset: number;
  /** Offset of the message before it in the channel's log. */
  readonly prev: number;
  /** Index of the event. */
  readonly event: number;
  /** JSON, from `encodeData`. */
  readonly data: string;
  readonly meta?: MessageMeta | undefined;
}

const metaPart = (meta: MessageMeta | undefined): string => (meta ? `,${JSON.stringify(meta)}` : '');

/** PROTOCOL §5.16: the line of a message, the same for all its subscribers, from a payload that was encoded once. */
export function messageLine({ channel, offset, prev, event, data, meta }: MessageParts): string {
  const place = prev === offset - 1 ? offset : `[${offset},${prev}]`;
  return `[${Type.message},${channel},${place},${event},${data}${metaPart(meta)}]`;
}

/** PROTOCOL §4.9: the line of a volatile message down. */
export function volatileLine({ channel, event, data, meta }: Omit<MessageParts, 'offset' | 'prev'>): string {
  return `[${Type.volatile},${channel},${event},${data}${metaPart(meta)}]`;
}

/** PROTOCOL §5.30: `line` itself where it fits, else the lines of its fragments. Only for lines of counted frames. */
export function splitLine(
  line: string,
  { lineBytes, fragmentChars }: Pick<Limits, 'lineBytes' | 'fragmentChars'>,
): string[] {
  if (fitsUtf8(line, lineBytes - 1)) return [line];
  const fragments: string[] = [];
  for (let start = 0; start < line.length; ) {
    let chars = fragmentChars;
    for (;;) {
      let end = Math.min(start + chars, line.length);
      if (isPair(line.charCodeAt(end - 1), line.charCodeAt(end))) end += chars > 1 ? -1 : 1;
      const fragment = JSON.stringify([Type.fragment, end < line.length ? 1 : 0, line.slice(start, end)]);
      // The text is escaped once more, which can take six bytes for one unit: such a slice is taken shorter.
      if (chars === 1 || fitsUtf8(fragment, lineBytes - 1)) {
        fragments.push(fragment);
        start = end;
        break;
      }
      chars = chars >> 1;
    }
  }
  return fragments;
}
