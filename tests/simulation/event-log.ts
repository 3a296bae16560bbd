/** The last things that happened in one schedule. They are kept as they came and put into words only when somebody wants to read them. */
interface Entry {
  readonly at: number;
  readonly who: string;
  readonly what: string;
  readonly detail: unknown;
}

const KEPT = 250;
const DETAIL_CHARS = 220;

export class EventLog {
  readonly #now: () => number;
  /** How many entries are kept. */
  #kept = KEPT;
  readonly #entries: Entry[] = [];
  /** Entries that are kept start here: a ring once it is full. */
  #next = 0;
  #count = 0;
  /** FNV-1a over every entry; null where nobody asked for it. */
  #hash: number | null;

  constructor(now: () => number, options: { hashed?: boolean } = {}) {
    this.#now = now;
    this.#hash = options.hashed ? 0x811c9dc5 : null;
  }

  get count(): number {
    return this.#count;
  }
  get hash(): string {
    return this.#hash === null ? '' : this.#hash.toString(16).padStart(8, '0');
  }

  /** For somebody who wants to read it all. To be called before the first entry. */
  keepAll(): void {
    this.#kept = Number.MAX_SAFE_INTEGER;
  }

  /** `detail` must not change afterwards. */
  add(who: string, what: string, detail?: unknown): void {
    const entry = { at: this.#now(), who, what, detail };
    this.#count += 1;
    this.#entries[this.#next] = entry;
    this.#next = (this.#next + 1) % this.#kept;
    if (this.#hash !== null) this.#mix(inWords(entry));
  }

  /** The last `lines` entries, the oldest first. */
  tail(lines: number = this.#kept): string[] {
    const ordered = [...this.#entries.slice(this.#next), ...this.#entries.slice(0, this.#next)];
    return ordered.slice(-lines).map(inWords);
  }

  #mix(text: string): void {
    let hash = this.#hash as number;
    for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
    this.#hash = hash;
  }
}

function inWords({ at, who, what, detail }: Entry): string {
  const told = detail === undefined ? '' : typeof detail === 'string' ? detail : JSON.stringify(detail);
  return `${at.toFixed(1).padStart(10)} ${who.padEnd(6)} ${what} ${told.slice(0, DETAIL_CHARS)}`.trimEnd();
}
