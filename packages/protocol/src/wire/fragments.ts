/** PROTOCOL §5.30: the slices of a large counted frame, put together again. */
import { RunnelError } from '../errors.ts';
import { type FragmentFrame, isCounted, Type } from './frames.ts';
import { utf8Length } from './utf8.ts';
import { violation } from './violation.ts';

/** Joins the fragments of one direction of one incarnation. A new incarnation needs a new one. */
export class FragmentJoiner {
  readonly #bytesMax: number;
  /** The slices so far; empty exactly while no fragment is open. */
  #text = '';
  /** UTF-8 bytes in `#text`. */
  #bytes = 0;

  /** @param text the slices that were taken before */
  constructor(bytesMax: number, text = '') {
    this.#bytesMax = bytesMax;
    this.#text = text;
    this.#bytes = utf8Length(text);
  }

  /** The slices so far. */
  get text(): string {
    return this.#text;
  }

  /** Whether the next counted frame must be a fragment. The caller refuses any other with `protocol_error`. */
  get open(): boolean {
    return this.#text !== '';
  }

  /**
   * The joined line after the last fragment, null after any other.
   * @throws RunnelError `frame_too_large` above the limit, `protocol_error` for an empty slice and for a line that may not travel in fragments.
   */
  push([, more, slice]: FragmentFrame): string | null {
    // An empty slice would take memory that no bound sees.
    if (!slice) throw violation('A fragment is empty.');
    this.#bytes += utf8Length(slice);
    if (this.#bytes > this.#bytesMax)
      throw new RunnelError('frame_too_large', `A frame in fragments is longer than ${this.#bytesMax} bytes.`);
    this.#text += slice;
    if (more) return null;
    const line = this.#text;
    this.#text = '';
    this.#bytes = 0;
    const type = Number(/^\s*\[\s*(\d+)\s*[,\]]/.exec(line)?.[1]);
    if (!isCounted(type) || type === Type.fragment)
      throw violation('Fragments hold something else than one counted frame.');
    return line;
  }
}
