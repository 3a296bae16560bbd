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
  /** With what each has entered, the last one at the end. */
  readonly #attendants = new Map<Attendant, MemberData>();
  /** What is shown: that of the last one, as of the last update. */
  #given: MemberData;
  /** Whether any of the sessions is. */
  #connected = true;
  /** See `text`; null until it is asked for. */
  #text: string | null = null;

  constructor(id: string, given: MemberData) {
    this.id = id;
    this.#given = given;
  }

  /** What one of those has entered with that it is in by. */
  givenBy(of: Attendant): MemberData | undefined {
    return this.#attendants.get(of);
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

  /** Whether it has become reachable, or is no longer, or has other data, since it was last updated. */
  get isStale(): boolean {
    return this.#connected !== this.#isReachable() || this.#given !== this.#last();
  }

  /** It shows what was entered with last by one that is still in. */
  enter(of: Attendant, given: MemberData): void {
    this.#attendants.delete(of);
    this.#attendants.set(of, given);
    this.update();
  }

  leave(of: Attendant): void {
    this.#attendants.delete(of);
  }

  update(): void {
    this.#connected = this.#isReachable();
    this.#given = this.#last();
    this.#text = null;
  }

  #last(): MemberData {
    let last = this.#given;
    for (const given of this.#attendants.values()) last = given;
    return last;
  }

  #isReachable(): boolean {
    for (const { connected } of this.#attendants.keys()) if (connected) return true;
    return false;
  }
}
