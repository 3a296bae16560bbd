import type { Identity } from '@runnel/protocol';
import type { AppSession } from './app-session.ts';

/** The sessions of this node by user id. */
export class Users<I extends Identity> {
  readonly #sessions = new Map<string, Set<AppSession<I>>>();

  add(of: AppSession<I>): void {
    const sessions = this.#sessions.get(of.userId) ?? new Set();
    this.#sessions.set(of.userId, sessions.add(of));
  }

  delete(of: AppSession<I>): void {
    const sessions = this.#sessions.get(of.userId);
    if (sessions?.delete(of) && sessions.size === 0) this.#sessions.delete(of.userId);
  }

  sessionsOf(userId: string): readonly AppSession<I>[] {
    return [...(this.#sessions.get(userId) ?? [])];
  }
}
