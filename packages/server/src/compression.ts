/**
 * permessage-deflate (RFC 7692) without context takeover either way: each message is compressed by itself. So the compressed bytes of a broadcast are the same
 * for all and made once, and nothing is kept for a connection.
 */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';

export interface CompressionOptions {
  /** Lines from this size on are compressed, bytes. Default: 1,024. */
  readonly thresholdBytes?: number | undefined;
}

/** Shorter ones gain little. */
const THRESHOLD_BYTES = 1_024;
const NAME = 'permessage-deflate';
/** RFC 7692 §7.1.1: what both sides then keep to. */
const ACCEPTED = `${NAME}; server_no_context_takeover; client_no_context_takeover`;
/** §7.2.1: what the end of a message loses on its way. */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

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
 * What a handshake with these `Sec-WebSocket-Extensions` is answered; null: there is nothing to agree on. An offer is declined that has a parameter unknown
 * to us, or wants a smaller window than everybody else's, as no browser does (§7.1).
 */
export function acceptedExtension(offers: string | undefined): string | null {
  return offers?.split(',').some(isAcceptable) ? ACCEPTED : null;
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
  return deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -TAIL.length);
}

/** The payload of a compressed message as it was; null where it would be longer than `bytesMax`. @throws what zlib throws for what it cannot read */
export function inflated(payload: Buffer, bytesMax: number): Buffer | null {
  try {
    const whole = Buffer.concat([payload, TAIL]);
    return inflateRawSync(whole, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: bytesMax });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return null;
    throw error;
  }
}
