import { Person } from '../contract.ts';

/** A person, as the realtime server knows them. */
export interface User {
  readonly id: string;
}

/**
 * Who is called what. This is a demo: everybody is who they say they are. An application would check a token or a cookie
 * session here, and take the name from its own database.
 */
export class Directory {
  // The oldest go first: a demo that is left open for weeks forgets names, not memory.
  readonly #names = new Map<string, string>();
  readonly #namesMax = 10_000;

  /** @param auth what the page gave as `auth`; not to be trusted, not even to be an object */
  authenticate(auth: unknown): User | null {
    const claimed = Person.safeParse(auth);
    if (!claimed.success) return null;
    const { userId, name } = claimed.data;
    // Every attach comes through here, with what the page said first: a name that was changed since then stays.
    if (!this.#names.has(userId)) this.rename(userId, name);
    return { id: userId };
  }

  rename(userId: string, name: string): void {
    this.#names.delete(userId);
    this.#names.set(userId, name);
    for (const oldest of this.#names.keys()) {
      if (this.#names.size <= this.#namesMax) break;
      this.#names.delete(oldest);
    }
  }

  person({ id }: User): Person {
    return { userId: id, name: this.#names.get(id) ?? 'Someone' };
  }
}
