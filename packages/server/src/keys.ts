/**
 * Resume keys: `sid.node.signature`. A key names the incarnation and the node that owns it, and cannot be made up: the signature is an HMAC-SHA256 of what
 * stands before it. What makes it single-use is the generation, not the key (PROTOCOL §8.2).
 */
import { createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import { NAME_LIMITS } from '@runnel/protocol';

/** Shorter secrets can be guessed. */
const SECRET_BYTES_MIN = 16;

export interface ResumeKeysOptions {
  /** Name of this node. */
  readonly node: string;
  /** Shared by all nodes that should understand each other's keys; by default random, so that keys end with the process. */
  readonly secret?: string | Uint8Array | undefined;
}

export interface ReadKey {
  readonly sid: string;
  readonly node: string;
  /** Whether our secret signed it. */
  readonly genuine: boolean;
}

export class ResumeKeys {
  readonly #node: string;
  #secret: KeyObject;

  /** @throws RangeError for a secret that is too short */
  constructor({ node, secret = randomBytes(32) }: ResumeKeysOptions) {
    this.#node = node;
    this.#secret = keyOf(secret);
  }

  /** The secret that all nodes have agreed upon. Keys issued before are void. @throws RangeError as the constructor */
  agree(secret: string): void {
    this.#secret = keyOf(secret);
  }

  /** The key of the session `sid`, which has no dot. */
  issueKey(sid: string): string {
    // Joined, it is one string; concatenated, it would be kept as a tree of its parts.
    return [sid, this.#node, this.#sign(`${sid}.${this.#node}`)].join('.');
  }

  /**
   * What a key from a client names; null where it is no key at all.
   *
   * @param keyOf the key of a session that is here: to compare is cheaper than to sign
   */
  readKey(key: string, keyOf?: (sid: string) => string | undefined): ReadKey | null {
    // A node's name may have dots, a sid and a signature have none.
    const first = key.indexOf('.');
    const last = key.lastIndexOf('.');
    if (first <= 0 || last === first || first > NAME_LIMITS.token || key.length > NAME_LIMITS.key) return null;
    const sid = key.slice(0, first);
    const known = keyOf?.(sid);
    const genuine =
      (known !== undefined && isEqual(key, known)) || isEqual(key.slice(last + 1), this.#sign(key.slice(0, last)));
    return { sid, node: key.slice(first + 1, last), genuine };
  }

  #sign(named: string): string {
    return createHmac('sha256', this.#secret).update(named).digest('base64url');
  }
}

/** In a time that does not tell how much of it is. */
function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function keyOf(secret: string | Uint8Array): KeyObject {
  const bytes = typeof secret === 'string' ? Buffer.from(secret) : secret;
  if (bytes.length >= SECRET_BYTES_MIN) return createSecretKey(bytes);
  throw new RangeError(`secret has ${bytes.length} bytes; give it at least ${SECRET_BYTES_MIN}, of random origin.`);
}
