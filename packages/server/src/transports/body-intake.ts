/**
 * Reads request bodies: whole or not at all (PROTOCOL §6.1), each within its limit and all together within another. A body that is too large is read on and
 * thrown away as long as that is cheaper than losing the connection: a client that is still writing would not see an answer, only a reset.
 */
import type { Readable } from 'node:stream';
import type { HttpCall } from './http-call.ts';

type Call = Pick<HttpCall, 'headers' | 'body' | 'bodyRead'>;

/** Bytes held at once by bodies that are still coming in, over all requests. */
const HELD_BYTES_MAX = 67_108_864;
/** A body beyond its limit is still read to its end if it is at most this many times as large. */
const PATIENCE = 4;

/** Where the listeners, which are the same functions for all bodies, find what they are called for; undefined once that is settled. */
const reading = Symbol('reading');
type ReadBody = Readable & { [reading]?: Reading | undefined };

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
    const read: ReadBody = body;
    read[reading] = new Reading(this, done);
    body.on('data', onData);
    body.on('end', onEnd);
    body.on('close', onClose);
  }

  // ——— for bodies that are coming in ———

  get bytesMax(): number {
    return this.#bytesMax;
  }

  /** Makes room for so many more bytes; false: there is none. */
  hold(bytes: number): boolean {
    if (this.#held + bytes > this.#heldBytesMax) return false;
    this.#held += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#held -= bytes;
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

/** A body on its way in. */
class Reading {
  readonly #intake: BodyIntake;
  readonly #done: (outcome: BodyOutcome) => void;
  #chunks: Buffer[] = [];
  /** Bytes of `#chunks`, which count as held. */
  #kept = 0;
  /** Bytes that came, kept or not. */
  #bytes = 0;
  #refused: 'too_large' | 'overloaded' | null = null;

  constructor(intake: BodyIntake, done: (outcome: BodyOutcome) => void) {
    this.#intake = intake;
    this.#done = done;
  }

  /** What became of it; null while it is coming in. */
  take(chunk: Buffer): BodyOutcome | null {
    const { bytesMax } = this.#intake;
    this.#bytes += chunk.length;
    if (this.#refused === null && this.#bytes > bytesMax) this.#refused = 'too_large';
    if (this.#refused === null && !this.#intake.hold(chunk.length)) this.#refused = 'overloaded';
    if (this.#refused === null) {
      this.#chunks.push(chunk);
      this.#kept += chunk.length;
      return null;
    }
    this.#drop();
    return this.#bytes > bytesMax * PATIENCE ? { refused: this.#refused, left: true } : null;
  }

  ended(): BodyOutcome {
    if (this.#refused !== null) return { refused: this.#refused, left: false };
    const [first] = this.#chunks;
    return { bytes: first !== undefined && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks) };
  }

  settle(outcome: BodyOutcome): void {
    this.#drop();
    this.#done(outcome);
  }

  #drop(): void {
    this.#intake.release(this.#kept);
    this.#kept = 0;
    this.#chunks = [];
  }
}

function settle(body: ReadBody, outcome: BodyOutcome | null | undefined): void {
  const read = body[reading];
  if (read === undefined || !outcome) return;
  body[reading] = undefined;
  read.settle(outcome);
}

function onData(this: ReadBody, chunk: Buffer): void {
  settle(this, this[reading]?.take(chunk));
}

function onEnd(this: ReadBody): void {
  settle(this, this[reading]?.ended());
}

/** Also comes after 'end', and then says nothing new. */
function onClose(this: ReadBody): void {
  settle(this, { refused: 'cut_off' });
}
