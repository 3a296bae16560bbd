/**
 * The session as one of the tabs that share it has it. It stands where `ClientSession` stands in a client that shares nothing, and has no carriers: what is
 * sent goes to the host, who says what was taken; what was not is sent again to the next one.
 */
import {
  type ClientApp,
  type ClientSessionOptions,
  type ConnectionState,
  DEFAULT_LIMITS,
  type Effect,
  type FragmentFrame,
  FragmentJoiner,
  type Line,
  type Transport,
  type WelcomeLimits,
} from '@runnel/protocol';
import type { DrivenSession } from '../driver.ts';
import type { LinkFacts, News, Place, TabId, ToHost, ToTabs } from './messages.ts';

/** What the tab is given to take part by. */
export interface TabPorts {
  /** Takes part, under a name that `ready` is told when others hear of it. */
  readonly begin: (ready: (id: TabId) => void) => void;
  readonly send: (message: ToHost) => void;
  readonly end: () => void;
  /** The host does not answer. */
  readonly usurp: () => void;
  readonly hosts: () => boolean;
  /** Asks the application. Rejects where that fails. */
  readonly findCredentials: (refresh: boolean) => Promise<unknown>;
}

/** Where a client that shares its session stands among those it shares it with. */
export interface Sharing {
  /** Where the session is; null while that is not known. */
  readonly host: 'this tab' | 'another tab' | 'worker' | null;
  /** How many tabs share it; 0 while that is not known. */
  readonly tabs: number;
}

interface Sent {
  readonly n: number;
  readonly life: string;
  readonly text: string;
  readonly size: number;
}

/** How long a host may take to answer, before and after it was asked for a sign of life, ms. */
const ANSWER_MS = 2_000;

const NO_FACTS: LinkFacts = {
  client: null,
  limits: null,
  roundTripMs: null,
  counts: { framesUp: 0, framesDown: 0, resumes: 0, attaches: 0 },
  tabs: 0,
};

export class TabSession implements DrivenSession {
  /** Our name; empty while nobody knows us. */
  #id: TabId = '';
  readonly #app: ClientApp;
  readonly #ports: TabPorts;
  #state: ConnectionState = { status: 'idle' };
  #facts: LinkFacts = NO_FACTS;
  #choice: Transport | 'auto' = 'auto';
  /** The host, and where it is; null before one was heard of. */
  #host: { readonly id: string; readonly place: Place } | null = null;
  /** The incarnation that we are part of; null while the host has not welcomed us. */
  #life: string | null = null;
  /** Whether that is attached. */
  #attached = false;
  /** Counted frames that were not taken, oldest first, and their bytes. */
  #sent: Sent[] = [];
  #sentBytes = 0;
  /** Number of the next counted frame. */
  #n = 0;
  /** Number of the next one to be posted. */
  #posted = 0;
  #loose: string[] = [];
  /** When something was sent that is answered, and nothing has come since; null: nothing is waited for. */
  #askedAt: number | null = null;
  #suspended = false;
  /** Whether the host was asked for a sign of life since. */
  #probing = false;

  constructor({ app }: Pick<ClientSessionOptions, 'app'>, ports: TabPorts) {
    this.#app = app;
    this.#ports = ports;
  }

  get state(): ConnectionState {
    return this.#state;
  }
  get client(): string | null {
    return this.#facts.client;
  }
  get limits(): WelcomeLimits | null {
    return this.#facts.limits;
  }
  get roundTripMs(): number | null {
    return this.#facts.roundTripMs;
  }
  get counts(): LinkFacts['counts'] {
    return this.#facts.counts;
  }
  get transport(): Transport | null {
    return this.#attached && this.#state.status === 'open' ? this.#state.transport : null;
  }
  get holdsLoose(): boolean {
    return !this.#attached && this.#running;
  }
  get sharing(): Sharing {
    const there = this.#host?.place === 'worker' ? 'worker' : 'another tab';
    return { host: this.#host === null ? null : this.#ports.hosts() ? 'this tab' : there, tabs: this.#facts.tabs };
  }

  get #running(): boolean {
    return this.#state.status !== 'idle' && this.#state.status !== 'closed';
  }

  // ——— what can be wanted ———

  start(now: number): void {
    if (this.#state.status !== 'idle') return;
    this.#tell({ status: 'connecting', attempt: 1 });
    this.#begin(now);
  }

  #begin(now: number): void {
    this.#suspended = false;
    this.#ports.begin((id) => {
      this.#id = id;
      this.#join(now);
    });
  }

  /** The page is put aside, and may come back: others go on without it. */
  suspend(): void {
    if (!this.#running || this.#suspended) return;
    this.#suspended = true;
    this.#bye('the page was put aside');
    this.#forget();
    this.#ports.end();
  }

  /** Takes part no more; the session ends with the last tab. */
  close(_now: number, reason = 'closed by the client'): void {
    if (this.#state.status === 'closed') return;
    if (this.#running) this.#bye(reason);
    this.#finish({ status: 'closed', willReconnect: false, code: 'closed', reason });
  }

  #bye(reason: string): void {
    this.#post();
    this.#ports.send({ kind: 'bye', from: this.#id, reason });
  }

  use(choice: Transport | 'auto'): void {
    this.#choice = choice;
    if (this.#life !== null) this.#ports.send({ kind: 'use', from: this.#id, choice });
  }

  send(lines: readonly Line[]): boolean {
    const bytes = lines.reduce((sum, { size }) => sum + size, this.#sentBytes);
    const { outboxBytes } = this.#facts.limits ?? DEFAULT_LIMITS;
    if (this.#life === null || bytes > outboxBytes || this.#sent.length > DEFAULT_LIMITS.outboxFrames) return false;
    for (const text of whole(lines)) {
      this.#sent.push({ n: this.#n, life: this.#life, text, size: text.length });
      this.#sentBytes += text.length;
      this.#n += 1;
    }
    return true;
  }

  sendLoose({ text }: Line): boolean {
    if (!this.#attached) return false;
    this.#loose.push(text);
    return true;
  }

  flush(now: number): void {
    if (this.#post()) this.#asked(now);
  }

  wake(now: number): void {
    if (!this.#running) return;
    if (this.#suspended) return this.#begin(now);
    this.#ports.send({ kind: 'wake', from: this.#id });
    this.#ping(now);
  }

  handleCredentials(auth: unknown): void {
    this.#ports.send({ kind: 'credentials', from: this.#id, auth });
  }

  // ——— time ———

  nextTimeout(): number {
    return this.#askedAt === null || !this.#running ? Number.POSITIVE_INFINITY : this.#askedAt + ANSWER_MS;
  }

  /** A host that does not answer, and not when it is asked for a sign of life either, is frozen: another takes its place. */
  handleTimeout(now: number): void {
    if (now < this.nextTimeout()) return;
    if (!this.#probing) return this.#ping(now);
    this.#probing = false;
    this.#askedAt = null;
    this.#ports.usurp();
  }

  #ping(now: number): void {
    this.#ports.send({ kind: 'ping', from: this.#id });
    this.#probing = true;
    this.#askedAt = now;
  }

  takeEffects(): Effect[] {
    return [];
  }

  // A tab has no carriers of its own.
  handleOpen(): void {}
  handleActivity(): void {}
  handleLine(): void {}
  handleEnd(): void {}
  handleCredentialsFailed(): void {}

  #asked(now: number): void {
    this.#askedAt ??= now;
  }

  // ——— what the host says ———

  receive(message: ToTabs, now: number): void {
    if (!this.#running) return;
    if (message.kind === 'here') return this.#handleHost(message, now);
    if (message.kind !== 'down' || (this.#host !== null && message.host !== this.#host.id)) return;
    for (const [to, news] of message.news) {
      if (!this.#running) return;
      if (to === null ? this.#life !== null : to.includes(this.#id)) this.#handle(news, message.host, now);
    }
    this.flush(now);
  }

  #handleHost({ host: id, place, life, taken }: ToTabs & { readonly kind: 'here' }, now: number): void {
    this.#host = { id, place };
    this.#askedAt = null;
    const ours = taken.find(([tab]) => tab === this.#id);
    if (ours === undefined || life !== this.#life) return this.#join(now);
    this.#taken(ours[1]);
    this.#posted = ours[1];
    this.flush(now);
  }

  /** Takes part anew: whatever was under way is not known to the host. */
  #join(now: number): void {
    if (!this.#running) return;
    this.#forget();
    this.#asked(now);
    this.#ports.send({ kind: 'join', from: this.#id, subs: this.#app.subs() });
  }

  #forget(): void {
    if (this.#life !== null) this.#app.lost();
    this.#life = null;
    this.#attached = false;
    this.#sent = [];
    this.#sentBytes = this.#n = this.#posted = 0;
    this.#askedAt = null;
  }

  #handle(news: News, host: string, now: number): void {
    this.#askedAt = null;
    this.#probing = false;
    switch (news[0]) {
      case 'welcome':
        this.#life = news[1];
        this.#host = { id: host, place: news[2] };
        if (this.#choice !== 'auto') this.use(this.#choice);
        return;
      case 'facts':
        this.#facts = news[1];
        return;
      case 'state':
        return news[1].status === 'closed' ? this.#finish(news[1]) : this.#tell(news[1]);
      case 'attempt':
        return this.#app.attempt(news[1]);
      case 'lost':
        this.#life = news[1];
        this.#attached = false;
        return this.#app.lost();
      case 'attached':
        this.#attached = true;
        return this.#app.attached(news[1]);
      case 'frame':
        return this.#app.frame(news[1]);
      case 'taken':
        this.#taken(news[1]);
        if (this.#sent.length > 0) this.#asked(now);
        return;
      case 'ask':
        return void this.#answer(news[1], news[2]);
    }
  }

  async #answer(q: number, refresh: boolean): Promise<void> {
    const answer = { kind: 'auth', from: this.#id, q } as const;
    try {
      this.#ports.send({ ...answer, auth: await this.#ports.findCredentials(refresh) });
    } catch (error) {
      this.#ports.send({ ...answer, auth: null, error: error instanceof Error ? error.message : String(error) });
    }
  }

  #taken(n: number): void {
    while (this.#sent[0] !== undefined && this.#sent[0].n < n) this.#sentBytes -= (this.#sent.shift() as Sent).size;
  }

  /** Posts what was not. Returns whether that is answered. */
  #post(): boolean {
    if (this.#loose.length > 0) this.#ports.send({ kind: 'loose', from: this.#id, frames: this.#loose });
    this.#loose = [];
    const due = this.#sent.filter(({ n }) => n >= this.#posted);
    this.#posted = this.#n;
    for (let rest = due; rest[0] !== undefined; ) {
      const { n, life } = rest[0];
      const other = rest.findIndex((sent) => sent.life !== life);
      const part = other < 0 ? rest : rest.slice(0, other);
      rest = rest.slice(part.length);
      this.#ports.send({ kind: 'up', from: this.#id, life, n, frames: part.map(({ text }) => text) });
    }
    return due.length > 0;
  }

  #finish(state: ConnectionState): void {
    const took = this.#running && !this.#suspended;
    this.#forget();
    this.#tell(state);
    if (took) this.#ports.end();
  }

  #tell(state: ConnectionState): void {
    this.#state = state;
    this.#app.state(state);
  }
}

/** The lines that were cut to fit a carrier, in one piece again. */
function whole(lines: readonly Line[]): string[] {
  const joiner = new FragmentJoiner(Number.POSITIVE_INFINITY);
  return lines.flatMap(({ text }) => {
    if (!text.startsWith('[30,')) return [text];
    return joiner.push(JSON.parse(text) as FragmentFrame) ?? [];
  });
}
