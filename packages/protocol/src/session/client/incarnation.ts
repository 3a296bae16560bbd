/**
 * What was counted in this incarnation of the session, and what has to be known to count on: the ledger, the frame that is arriving in fragments,
 * and how much was taken that the server has not been told of. Knows no links but the number that each of them has come to.
 */
import { RunnelError } from '../../errors.ts';
import { DEFAULT_LIMITS } from '../../limits.ts';
import { FragmentJoiner } from '../../wire/fragments.ts';
import { type AppDownFrame, type DownFrame, Type, type WelcomeLimits } from '../../wire/frames.ts';
import { readDown } from '../../wire/read-down.ts';
import { Ledger, type Line } from '../ledger.ts';

/** Less than this, in UTF-16 units, is not worth a frame of its own. */
const ACK_ALONG_SIZE = 1_024;

/** What was counted, for whoever carries the session on. */
export interface IncarnationState {
  readonly rx: number;
  readonly acked: number;
  readonly kept: readonly Line[];
  /** The slices so far of a frame that is arriving in fragments. */
  readonly slices: string;
}

export class Incarnation {
  /** Replaced when the incarnation is over. */
  #ledger = new Ledger<Line>();
  /** Replaced with each new incarnation, whose limits it needs. */
  #joiner = new FragmentJoiner(0);
  /** What may wait in the ledger; set with each new incarnation. */
  #outboxBytes: number = DEFAULT_LIMITS.outboxBytes;
  /** Taken since our `rx` was last told, in UTF-16 units; 0 again by `tellRx`. */
  #untold = 0;

  get ledger(): Ledger<Line> {
    return this.#ledger;
  }

  get state(): IncarnationState {
    const { rx, acked, ob } = this.#ledger;
    return { rx, acked, kept: this.#ledger.slice(ob), slices: this.#joiner.text };
  }

  /** Goes on from there, under the limits of the last welcome. */
  restore({ rx, acked, kept, slices }: IncarnationState, limits: WelcomeLimits): void {
    this.begin(limits);
    this.#ledger.restore({ rx, acked, lines: kept });
    if (slices !== '') this.#joiner.push([Type.fragment, 1, slices]);
  }

  /** A new incarnation was adopted. */
  begin({ messageBytes, outboxBytes }: WelcomeLimits): void {
    this.#joiner = new FragmentJoiner(messageBytes + DEFAULT_LIMITS.lineBytes);
    this.#outboxBytes = outboxBytes;
  }

  /** PROTOCOL §7.8: counters start again. */
  over(): void {
    this.#ledger = new Ledger();
    this.#untold = 0;
  }

  /** Whether `lines` are too many to keep. */
  isFull(lines: readonly Line[]): boolean {
    const bytes = sizeOf(lines) + this.#ledger.bytes;
    return bytes > this.#outboxBytes || this.#ledger.tx - this.#ledger.ob + lines.length > DEFAULT_LIMITS.outboxFrames;
  }

  /**
   * Counts a frame that came in order. Returns what the application is to see: null while a frame is incomplete.
   * @throws RunnelError where the frames that were counted make no sense; the incarnation cannot go on
   */
  take(frame: DownFrame, size: number): AppDownFrame | null {
    this.#ledger.take();
    this.#untold += size;
    if (frame[0] === Type.fragment) {
      const text = this.#joiner.push(frame);
      return text === null ? null : (readDown(text) as AppDownFrame);
    }
    if (this.#joiner.open) throw new RunnelError('protocol_error', 'a frame between fragments');
    return frame as AppDownFrame;
  }

  /** PROTOCOL §4.3: whether so much was taken that the server's outbox waits for word of it. A UTF-16 unit is up to three bytes there. */
  get ackDue(): boolean {
    return this.#untold * 12 >= this.#outboxBytes || this.#ledger.rx % 4_096 === 0;
  }

  /** Likewise beside what goes up anyway: what is answered as it is asked does not pile up in the server's outbox. */
  get ackAlong(): boolean {
    return this.#untold >= ACK_ALONG_SIZE;
  }

  /** Our `rx`, about to be told. */
  tellRx(): number {
    this.#untold = 0;
    return this.#ledger.rx;
  }
}

export const sizeOf = (lines: readonly Line[]): number => lines.reduce((sum, { size }) => sum + size, 0);
