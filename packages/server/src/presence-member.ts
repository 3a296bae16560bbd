import type { PresenceEntry } from '@runnel/protocol';

/** What a member entered with. */
export interface MemberData {
  /** As clients get it. */
  readonly data: unknown;
  /** The same, encoded. */
  readonly json: string;
}

/** That by which a user is in a channel: a session, or another node. */
export interface Attendant {
  readonly userId: string;
  readonly connected: boolean;
}

/** A user who is in a channel, with one session or several. */
export class PresenceMember {
  readonly id: string;
  readonly #attendants = new Set<Attendant>();
  #given: MemberData;
  /** Whether any of the sessions is. */
  #connected = true;
  /** See `text`; null until it is asked for. */
  #text: string | null = null;

  constructor(id: string, given: MemberData) {
    this.id = id;
    this.#given = given;
  }

  /** What it entered with last. */
  get given(): MemberData {
    return this.#given;
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

  /** Whether anything is left that it is in by. */
  get isIn(): boolean {
    return this.#attendants.size > 0;
  }

  /** Whether it has become reachable, or is no longer, since it was last updated. */
  get isStale(): boolean {
    return this.#connected !== this.#isReachable();
  }

  /** It shows what it entered with last, whichever session that was. */
  enter(of: Attendant, given: MemberData): void {
    this.#attendants.add(of);
    this.#given = given;
    this.update();
  }

  leave(of: Attendant): void {
    this.#attendants.delete(of);
  }

  update(): void {
    this.#connected = this.#isReachable();
    this.#text = null;
  }

  #isReachable(): boolean {
    for (const { connected } of this.#attendants) if (connected) return true;
    return false;
  }
}
