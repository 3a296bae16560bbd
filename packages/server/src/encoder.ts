import {
  type AppDownFrame,
  encodeData,
  encodeFrame,
  fitsUtf8,
  type Limits,
  type MessageParts,
  messageLine,
  RunnelError,
  type Subscribed,
  splitLine,
  Type,
  volatileLine,
} from '@runnel/protocol';
import { type SharedLine, sharedLine } from './shared-line.ts';

/**
 * Makes the lines of frames. What goes to many is made once and enqueued by reference; a counted frame too long for one line comes as
 * the lines of its fragments (PROTOCOL §5.30).
 */
export class Encoder {
  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** @throws RunnelError `validation_failed` for a payload that no line can carry, `payload_too_large` for one above the limit */
  counted(frame: AppDownFrame): readonly SharedLine[] {
    return this.#split(encodeFrame(frame));
  }

  control(frame: AppDownFrame): SharedLine {
    return sharedLine(encodeFrame(frame));
  }

  /** The answer to call `id`; `json` is its encoded payload. */
  result(id: number, json: string | null): readonly SharedLine[] {
    return this.#split(json === null ? `[${Type.result},${id}]` : `[${Type.result},${id},${json}]`);
  }

  /** The answer to subscribe `id`. `presence`: the members, as a JSON array; null for a channel without. */
  subscribed(id: number, told: Omit<Subscribed, 'presence'>, presence: string | null): readonly SharedLine[] {
    // Nothing in it is a payload.
    const line = JSON.stringify([Type.subscribed, id, told]);
    return this.#split(presence === null ? line : `${line.slice(0, -'}]'.length)},"presence":${presence}}]`);
  }

  /** Members of channel `n`, as a JSON array. */
  joined(n: number, members: string): readonly SharedLine[] {
    return this.#split(`[${Type.presence},${n},{"joined":${members}}]`);
  }

  /** A part of the answer to call `id`; `json` is its encoded payload. */
  part(id: number, json: string): readonly SharedLine[] {
    return this.#split(`[${Type.part},${id},${json}]`);
  }

  /** The error that answers call `id`. Data that cannot travel is left out. */
  error(id: number, { code, message, retryable, data }: RunnelError): readonly SharedLine[] {
    if (data !== undefined) {
      try {
        this.checkSize(encodeData(data), 'the data of an error');
        return this.counted([Type.error, id, code, message, retryable, data]);
      } catch {
        // The code says enough.
      }
    }
    return this.counted([Type.error, id, code, message, retryable]);
  }

  /** The state of channel number `n`; `json` is its encoded payload. */
  snapshot(n: number, json: string): readonly SharedLine[] {
    return this.#split(`[${Type.snapshot},${n},${json}]`);
  }

  message(parts: MessageParts): readonly SharedLine[] {
    return this.#split(messageLine(parts));
  }

  volatile(parts: Omit<MessageParts, 'offset' | 'prev'>): SharedLine {
    return sharedLine(volatileLine(parts));
  }

  /**
   * Holds an encoded payload to the message limit, before anything is sent.
   *
   * @throws RunnelError `payload_too_large`
   */
  checkSize(json: string, subject: string): void {
    const { messageBytes } = this.#limits;
    if (fitsUtf8(json, messageBytes)) return;
    throw new RunnelError('payload_too_large', `${subject} is longer than ${messageBytes} bytes as JSON`);
  }

  /** A volatile frame has no fragments, so its payload has to leave room on one line for the frame around it. */
  checkVolatileSize(json: string, subject: string): void {
    const bytesMax = this.#limits.lineBytes - VOLATILE_ENVELOPE_BYTES;
    if (fitsUtf8(json, bytesMax)) return;
    throw new RunnelError('payload_too_large', `${subject} is volatile and longer than ${bytesMax} bytes as JSON`);
  }

  #split(line: string): readonly SharedLine[] {
    const { lineBytes } = this.#limits;
    if (fitsUtf8(line, lineBytes - 1)) return [sharedLine(line)];
    return splitLine(line, this.#limits).map(sharedLine);
  }
}

/** Type, two numbers, `meta.by` and punctuation. */
const VOLATILE_ENVELOPE_BYTES = 256;
