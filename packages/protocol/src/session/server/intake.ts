/** What one session has taken from its client and not told it of yet, and the slices of a frame that has not come whole. */
import type { Limits } from '../../limits.ts';
import { FragmentJoiner } from '../../wire/fragments.ts';
import { Type, type UpFrame } from '../../wire/frames.ts';
import { readUp } from '../../wire/read-up.ts';
import { violation } from '../../wire/violation.ts';

export class Intake {
  /** Null while no frame has come in part. */
  #joiner: FragmentJoiner | null = null;
  /** Taken since our `rx` was last told, to acknowledge by bytes. */
  #untoldBytes = 0;
  #untoldFrames = 0;

  /** Goes on where another node has stopped; null where nothing had begun. */
  static restored(slices: string, limits: Limits): Intake | null {
    if (slices === '') return null;
    const intake = new Intake();
    intake.#joiner = joinerOf(limits, slices);
    return intake;
  }

  /** Whether the client has not been told of something. */
  get isUntold(): boolean {
    return this.#untoldFrames > 0;
  }
  /** The slices so far. */
  get slices(): string {
    return this.#joiner?.text ?? '';
  }

  note(size: number): void {
    this.#untoldBytes += size;
    this.#untoldFrames += 1;
  }

  /** Whether a quarter of what the client may keep is untold. */
  isDue({ outboxBytes, outboxFrames }: { readonly outboxBytes: number; readonly outboxFrames: number }): boolean {
    return this.#untoldBytes * 4 >= outboxBytes || this.#untoldFrames * 4 >= outboxFrames;
  }

  /** The client is told of all. Null: there is nothing more to keep. */
  told(): Intake | null {
    this.#untoldBytes = 0;
    this.#untoldFrames = 0;
    return this.#joiner === null ? null : this;
  }

  /**
   * The frame that has come whole with `frame`; null where slices of it are missing.
   *
   * @throws RunnelError where a frame breaks into the slices of another (PROTOCOL §5.30), or the slices make none
   */
  whole(frame: UpFrame, limits: Limits): UpFrame | null {
    if (frame[0] !== Type.fragment) {
      if (this.#joiner !== null) throw violation('a frame stands between the fragments of another');
      return frame;
    }
    this.#joiner ??= joinerOf(limits);
    const line = this.#joiner.push(frame);
    if (line === null) return null;
    this.#joiner = null;
    return readUp(line, limits);
  }
}

function joinerOf({ messageBytes, lineBytes }: Limits, slices?: string): FragmentJoiner {
  return new FragmentJoiner(messageBytes + lineBytes, slices);
}
