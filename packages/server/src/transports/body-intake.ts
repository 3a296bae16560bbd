/**
 * Reads request bodies: whole or not at all (PROTOCOL §6.1), each within its limit and all together within another. A body that is too large is read on and
 * thrown away as long as that is cheaper than losing the connection: a client that is still writing would not see an answer, only a reset.
 */
import type { HttpCall } from './http-call.ts';

type Call = Pick<HttpCall, 'headers' | 'body' | 'bodyRead'>;

/** Bytes held at once by bodies that are still coming in, over all requests. */
const HELD_BYTES_MAX = 67_108_864;
/** A body beyond its limit is still read to its end if it is at most this many times as large. */
const PATIENCE = 4;

export type BodyOutcome =
  | { readonly bytes: Buffer }
  /** `left`: there is more to come, and nobody will read it. */
  | { readonly refused: 'too_large' | 'overloaded'; readonly left: boolean }
  /** The client went before it had sent everything. There is nobody to answer. */
  | { readonly refused: 'cut_off' };

export class BodyIntake {
  readonly #bytesMax: number;
  readonly #heldBytesMax: number;
  /** Bytes held by bodies that are still coming in. */
  #held = 0;

  constructor(bytesMax: number, heldBytesMax: number = HELD_BYTES_MAX) {
    this.#bytesMax = bytesMax;
    this.#heldBytesMax = heldBytesMax;
  }

  /** Calls `done` exactly once. */
  read(call: Call, done: (outcome: BodyOutcome) => void): void {
    const { body, bodyRead } = call;
    if (bodyRead !== null)
      return done(bodyRead.length > this.#bytesMax ? { refused: 'too_large', left: false } : { bytes: bodyRead });
    if (this.isHopeless(call)) return done({ refused: 'too_large', left: true });
    const chunks: Buffer[] = [];
    let kept = 0;
    let bytes = 0;
    let refused: 'too_large' | 'overloaded' | null = null;
    let settled = false;
    const drop = () => {
      this.#held -= kept;
      kept = 0;
      chunks.length = 0;
    };
    const settle = (outcome: BodyOutcome) => {
      if (settled) return;
      settled = true;
      drop();
      done(outcome);
    };
    body.on('data', (chunk: Buffer) => {
      if (settled) return;
      bytes += chunk.length;
      if (refused === null && bytes > this.#bytesMax) refused = 'too_large';
      if (refused === null && this.#held + chunk.length > this.#heldBytesMax) refused = 'overloaded';
      if (refused === null) {
        chunks.push(chunk);
        kept += chunk.length;
        this.#held += chunk.length;
      } else {
        drop();
        if (bytes > this.#bytesMax * PATIENCE) settle({ refused, left: true });
      }
    });
    body.on('end', () => {
      if (refused !== null) settle({ refused, left: false });
      else settle({ bytes: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks) });
    });
    // Also comes after 'end', and then says nothing new.
    body.on('close', () => settle({ refused: 'cut_off' }));
  }

  /** Whether the request says that its body is larger than anybody would read to its end. */
  isHopeless({ headers }: Call): boolean {
    return Number(headers['content-length'] ?? 0) > this.#bytesMax * PATIENCE;
  }

  /** Reads a body to its end for the connection's sake only. A client that does not come to an end is cut off. */
  discard({ body }: Call): void {
    let bytes = 0;
    body.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > this.#bytesMax * PATIENCE) body.destroy();
    });
  }
}
