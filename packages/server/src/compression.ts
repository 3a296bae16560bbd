/**
 * permessage-deflate (RFC 7692) without context takeover either way: each message is compressed by itself. So the compressed bytes of a broadcast are the same
 * for all and made once, and no connection has a compressor. `ws` negotiates it and inflates what comes up, by an inflater for each client that has sent some.
 */
import { constants, deflateRawSync } from 'node:zlib';

export interface CompressionOptions {
  /** Lines from this size on are compressed, bytes. Default: 1,024. */
  readonly thresholdBytes?: number | undefined;
}

/** Shorter ones gain little. */
const THRESHOLD_BYTES = 1_024;
const NAME = 'permessage-deflate';
/** RFC 7692 §7.1.1, as an option of `ws`: what both sides then keep to. */
export const NO_CONTEXT_TAKEOVER = { serverNoContextTakeover: true, clientNoContextTakeover: true } as const;
/** RFC 7692 §7.2.1: so many bytes of the end of a message are lost on its way. */
const TAIL_BYTES = 4;

/**
 * From which size on lines are compressed, bytes; Infinity: none are.
 *
 * @throws RangeError for a threshold that is no size
 */
export function thresholdOf(compression: boolean | CompressionOptions = false): number {
  if (compression === false) return Number.POSITIVE_INFINITY;
  const { thresholdBytes = THRESHOLD_BYTES } = compression === true ? {} : compression;
  if (Number.isSafeInteger(thresholdBytes) && thresholdBytes >= 0) return thresholdBytes;
  throw new RangeError(
    `compression.thresholdBytes is ${thresholdBytes}; give it a whole number of bytes, or leave it out.`,
  );
}

/**
 * Of the offers in `Sec-WebSocket-Extensions` those that we can take; undefined: none. Not those with a parameter unknown to us, or that want a smaller
 * window than everybody else's, as no browser does (RFC 7692 §7.1).
 */
export function acceptableOffers(offers: string | undefined): string | undefined {
  return offers?.split(',').filter(isAcceptable).join().trim() || undefined;
}

function isAcceptable(offer: string): boolean {
  const [name, ...params] = offer.split(';').map((part) => part.trim());
  return name === NAME && new Set(params.map(nameOf)).size === params.length && params.every(isKnown);
}

/** What comes up may use any window: the largest is always there. */
function isKnown(param: string): boolean {
  return (
    param === 'server_no_context_takeover' ||
    param === 'client_no_context_takeover' ||
    nameOf(param) === 'client_max_window_bits'
  );
}

const nameOf = (param: string): string => param.split('=', 1)[0] as string;

/** `text` as the payload of a compressed message. */
export function deflated(text: string): Buffer {
  return deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -TAIL_BYTES);
}
