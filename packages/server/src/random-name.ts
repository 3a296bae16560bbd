/** Names that nobody can guess: 16 random bytes in 22 characters of the URL alphabet. */
import { randomFillSync } from 'node:crypto';

const NAME_BYTES = 16;
/** Randomness is had in bulk: asking for a little costs as much as asking for a page. */
const pool = Buffer.allocUnsafeSlow(4_096);
let at = pool.length;

export function randomName(): string {
  if (at === pool.length) {
    randomFillSync(pool);
    at = 0;
  }
  const start = at;
  at += NAME_BYTES;
  // In one piece: a name put together of characters would be kept as the tree of its parts.
  return pool.toString('base64url', start, at);
}
