/** What one session has taken from its client and not told it of yet, and the slices of a frame that has not come whole. */
import { FragmentJoiner } from '../../wire/fragments.ts';
import { type FragmentFrame, Type, type UpFrame } from '../../wire/frames.ts';

export class Intake {
  readonly #joiner: FragmentJoiner;
  /** Taken since our `rx` was last told, to acknowledge by bytes. */
  #untoldBytes = 0;
  #untoldFrames = 0;

  /** @param slices as another node had them */
  constructor(joinedBytesMax: number, slices?: string) {
    this.#joiner = new FragmentJoiner(joinedBytesMax, slices);
  }

  /** Whether the client has not been told of something. */
  get isUntold(): boolean {
    return this.#untoldFrames > 0;
  }
  /** The slices so far. */
  get slices(): string {
    return this.#joiner.text;
  }

  note(size: number): void {
    this.#untoldBytes += size;
    this.#untoldFrames += 1;
  }

  /** Whether a quarter of what the client may keep is untold. */
  isDue({ outboxBytes, outboxFrames }: { readonly outboxBytes: number; readonly outboxFrames: number }): boolean {
    return this.#untoldBytes * 4 >= outboxBytes || this.#untoldFrames * 4 >= outboxFrames;
  }

  told(): void {
    this.#untoldBytes = 0;
    this.#untoldFrames = 0;
  }

  /** The line that the last slice has completed; null while it is not whole. */
  join(fragment: FragmentFrame): string | null {
    return this.#joiner.push(fragment);
  }

  /** Whether a frame breaks into the slices of another (PROTOCOL §5.30). */
  isBroken(frame: UpFrame): boolean {
    return this.#joiner.open && frame[0] !== Type.fragment;
  }
}
