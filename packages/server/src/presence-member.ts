import type { Identity, PresenceEntry } from '@runnel/protocol';
import type { AppSession } from './app-session.ts';

/** What a member entered with. */
export interface MemberData {
  /** As clients get it. */
  readonly data: unknown;
  /** The same, encoded. */
  readonly json: string;
}

/** A user who is in a channel, with one session or several. */
export class PresenceMember<I extends Identity> {
  readonly id: string;
  readonly #sessions = new Set<AppSession<I>>();
  #given: MemberData;
  /** Whether any of the sessions is. */
  #connected = true;
  /** See `text`; null until it is asked for. */
  #text: string | null = null;

  constructor(id: string, given: MemberData) {
    this.id = id;
    this.#given = given;
  }

  /** As subscribers are told. */
  get entry(): PresenceEntry {
    return { id: this.id, data: this.#given.data, connected: this.#connected };
  }

  /** The entry as JSON. Made once for all who are given it. */
  get text(): string {
    this.#text ??= `{"id":${JSON.stringify(this.id)},"data":${this.#given.json},"connected":${this.#connected}}`;
    return this.#text;
  }

  /** Whether a session is left that it is in with. */
  get isIn(): boolean {
    return this.#sessions.size > 0;
  }

  /** Whether it has become reachable, or is no longer, since it was last updated. */
  get isStale(): boolean {
    return this.#connected !== this.#isReachable();
  }

  /** It shows what it entered with last, whichever session that was. */
  enter(of: AppSession<I>, given: MemberData): void {
    this.#sessions.add(of);
    this.#given = given;
    this.update();
  }

  leave(of: AppSession<I>): void {
    this.#sessions.delete(of);
  }

  update(): void {
    this.#connected = this.#isReachable();
    this.#text = null;
  }

  #isReachable(): boolean {
    for (const { connected } of this.#sessions) if (connected) return true;
    return false;
  }
}
