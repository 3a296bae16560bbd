/**
 * Who is in which channel. Everybody is in `perSession` channels of exactly `groupSize` members each; who shares a channel with whom changes
 * from one of them to the next, as in real rooms.
 */
export interface LayoutShape {
  /** A product of twos and fives, and a multiple of `groupSize`. */
  readonly connections: number;
  readonly perSession: number;
  readonly groupSize: number;
}

/** Coprime to every number of channels that is a product of twos and fives. */
const STRIDE = 387;

export class Layout {
  readonly shape: LayoutShape;
  readonly channels: number;
  readonly #groups: number;

  constructor(shape: LayoutShape) {
    const { connections, perSession, groupSize } = shape;
    if (!isSmooth(connections) || connections % groupSize !== 0)
      throw new RangeError(`${connections} connections cannot be laid out in channels of ${groupSize}.`);
    this.shape = shape;
    this.#groups = connections / groupSize;
    this.channels = this.#groups * perSession;
    if (!isSmooth(this.channels)) throw new RangeError(`${this.channels} channels cannot be taken in turn.`);
  }

  /** Channels of connection `index`, from 0. */
  channelsOf(index: number): number[] {
    const { connections, perSession, groupSize } = this.shape;
    return Array.from({ length: perSession }, (_, round) => {
      // A multiplier that ends in 1 is coprime to `connections`, so each round is a permutation of everybody.
      const place = (index * (70 * round + 1) + round * 7) % connections;
      return round * this.#groups + Math.floor(place / groupSize);
    });
  }

  /** The channel of message number `n`: all channels in turn, not in the order of their members. */
  channelOf(n: number): number {
    return channelOf(n, this.channels);
  }
}

export function channelOf(n: number, channels: number): number {
  return (n * STRIDE) % channels;
}

function isSmooth(n: number): boolean {
  let rest = n;
  for (const factor of [2, 5]) while (rest > 1 && rest % factor === 0) rest /= factor;
  return rest === 1;
}
