import type { Identity } from '@runnel/protocol';
import type { AppSession } from './app-session.ts';

/** The sessions of this node by user id. */
export class Users<I extends Identity> {
  /** Most users have one session, which needs no set. */
  readonly #sessions = new Map<string, AppSession<I> | Set<AppSession<I>>>();

  add(of: AppSession<I>): void {
    const { userId } = of;
    const known = this.#sessions.get(userId);
    if (known instanceof Set) known.add(of);
    else this.#sessions.set(userId, known === undefined ? of : new Set([known, of]));
  }

  delete(of: AppSession<I>): void {
    const { userId } = of;
    const known = this.#sessions.get(userId);
    if (known === of || (known instanceof Set && known.delete(of) && known.size === 0)) this.#sessions.delete(userId);
  }

  *all(): Generator<AppSession<I>> {
    for (const known of this.#sessions.values()) {
      if (known instanceof Set) yield* known;
      else yield known;
    }
  }

  sessionsOf(userId: string): readonly AppSession<I>[] {
    const known = this.#sessions.get(userId);
    if (known === undefined) return [];
    return known instanceof Set ? [...known] : [known];
  }
}
