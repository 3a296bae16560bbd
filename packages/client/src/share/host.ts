/**
 * Has the session that tabs share, in one of them or in a worker: a `Switchboard` on a driver of its own. What it has to tell goes out together, in the
 * microtask after the turn.
 */
import { type ClientSession, RunnelError, type Transport } from '@runnel/protocol';
import type { Driver, DriverOptions, Machinery } from '../driver.ts';
import type { Environment } from '../environment.ts';
import { hold, type Locks } from './locks.ts';
import type { HostState, LinkFacts, News, Place, TabId, ToHost, ToTabs } from './messages.ts';
import { Switchboard } from './switchboard.ts';

/** What a session is sought with; `hasAuth`: tabs can be asked for credentials. */
export interface LinkOptions
  extends Pick<DriverOptions, 'endpoint' | 'transports' | 'credentials' | 'headers' | 'timeoutMs'> {
  readonly hasAuth: boolean;
}

export interface HostOptions {
  readonly id: string;
  readonly place: Place;
  readonly link: LinkOptions;
  readonly environment: Environment;
  readonly machinery: Machinery;
  readonly locks: Locks;
  /** The tab that it is in: asked first for credentials. Null in a worker. */
  readonly home: TabId | null;
  /** What the host before has handed over; null: it did not, or there was none. */
  readonly resume: HostState | null;
  readonly post: (message: ToTabs) => void;
}

/** The lock that tells that a tab lives. */
export const tabLock = (id: TabId): string => `runnel:tab:${id}`;

/** Somebody who waits for the answer of a tab. */
interface Question {
  tab: TabId | null;
  readonly refresh: boolean;
  readonly settle: (error: Error | null, auth?: unknown) => void;
}

export class Host {
  readonly #options: HostOptions;
  readonly #driver: Driver;
  readonly #switchboard: Switchboard;
  #session!: ClientSession;
  /** The state of the session that is to be carried on; null once it is. */
  #resume: HostState | null;
  /** What tabs have sent since the last turn. */
  #inbox: ToHost[] = [];
  #news: (readonly [readonly TabId[] | null, News])[] = [];
  /** Stops waiting for the death of a tab. */
  readonly #watches = new Map<TabId, () => void>();
  readonly #questions = new Map<number, Question>();
  #lastQuestion = 0;
  #over = false;

  constructor(options: HostOptions) {
    const { environment, link, machinery, resume } = options;
    this.#options = options;
    this.#resume = resume;
    this.#switchboard = new Switchboard({
      newId: environment.newId,
      place: options.place,
      tell: (to, news) => this.#tell(to, news),
      onFacts: () => this.#tell(null, ['facts', this.#facts()]),
      touch: () => this.#driver?.touch(),
      // What is refused ends the session, which the tabs are told.
      onRefresh: () => void this.#driver.reauthenticate().catch(() => {}),
      resume: resume?.switchboard ?? null,
    });
    const { hasAuth, ...rest } = link;
    this.#driver = new machinery.Driver({
      ...rest,
      // Tabs tell when the page wakes up, and whether it is left is for them to say.
      environment: { ...environment, watch: () => () => {} },
      auth: hasAuth ? ({ refresh }) => this.#askTabs(refresh) : undefined,
      channels: this.#switchboard,
      newSession: (session) => {
        this.#session = new machinery.ClientSession({ ...session, resume: this.#resume?.session });
        this.#resume = null;
        return this.#session;
      },
      beforeTurn: () => this.#takeInbox(),
      onSocketFailure: (reason, at) =>
        this.#switchboard.attempt({ at, transport: 'websocket', step: 'open', outcome: 'failed', tookMs: 0, reason }),
    });
  }

  /** Says that it is here, and goes on with what was handed over. */
  begin(): void {
    const { id: host, place, post, resume } = this.#options;
    const { life, taken, tabs } = this.#switchboard;
    for (const tab of tabs) this.#watch(tab);
    post({ kind: 'here', host, place, life, taken });
    if (resume !== null) this.#driver.start();
  }

  receive(message: ToHost): void {
    if (this.#over) return;
    this.#inbox.push(message);
    this.#driver.touch();
  }

  /** Lets the session go, for the next host to carry on; where no tab is left it ends. */
  handOver(): void {
    if (this.#over) return;
    this.#takeInbox();
    this.#switchboard.steer(this.#driver.now());
    const ended = this.#switchboard.tabs.length === 0 || this.#session.state.status === 'closed';
    if (ended) return this.#stop('the last tab was closed');
    this.#flush();
    const switchboard = this.#switchboard.handOver();
    this.#over = true;
    const state = { session: this.#session.handOver(), switchboard };
    this.#options.post({ kind: 'handOver', host: this.#options.id, state });
    this.#stop('handed over');
  }

  /** Another has taken its place. */
  yield(): void {
    this.#over = true;
    this.#session.handOver();
    this.#stop('another tab has the session');
  }

  #stop(reason: string): void {
    this.#over = true;
    this.#driver.close(reason);
    for (const stop of this.#watches.values()) stop();
    this.#watches.clear();
  }

  // ——— what tabs say ———

  #takeInbox(): void {
    for (const message of this.#inbox.splice(0)) this.#take(message);
  }

  #take(message: ToHost): void {
    const { from } = message;
    const now = this.#driver.now();
    switch (message.kind) {
      case 'join': {
        const { state } = this.#session;
        this.#switchboard.join(from, message.subs);
        this.#watch(from);
        // Otherwise it hears of the session that is sought for it.
        if (state.status === 'idle' || state.status === 'closed') return this.#driver.start();
        return this.#tell([from], ['state', state]);
      }
      case 'up':
        return this.#switchboard.up(from, message.life, message.n, message.frames);
      case 'loose':
        return this.#switchboard.loose(message.frames);
      case 'wake':
        return this.#session.wake(now);
      case 'ping':
        return this.#tell([from], ['alive']);
      case 'use':
        return this.#driver.use(message.choice as Transport | 'auto');
      case 'credentials':
        return this.#session.handleCredentials(message.auth, now);
      case 'auth':
        return this.#answered(message.q, from, message.auth, message.error);
      case 'bye':
        return this.#gone(from, message.reason);
    }
  }

  /** Learns of the death of a tab by its lock. */
  #watch(tab: TabId): void {
    if (this.#watches.has(tab)) return;
    const granted = (): void => this.receive({ kind: 'bye', from: tab, reason: 'the last tab is gone' });
    this.#watches.set(tab, hold(this.#options.locks, tabLock(tab), { granted, mode: 'shared' }));
  }

  #gone(tab: TabId, reason: string): void {
    this.#watches.get(tab)?.();
    this.#watches.delete(tab);
    this.#switchboard.leave(tab);
    for (const [q, question] of this.#questions) if (question.tab === tab) this.#askNext(q, question);
    if (this.#switchboard.tabs.length === 0) this.#driver.close(reason);
  }

  // ——— credentials ———

  #askTabs(refresh: boolean): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#lastQuestion += 1;
      const settle = (error: Error | null, auth?: unknown): void => (error === null ? resolve(auth) : reject(error));
      this.#askNext(this.#lastQuestion, { tab: null, refresh, settle });
    });
  }

  #askNext(q: number, question: Question): void {
    const { tabs } = this.#switchboard;
    const tab = tabs.find((id) => id === this.#options.home) ?? tabs.at(-1);
    if (tab === undefined) {
      this.#questions.delete(q);
      return question.settle(new RunnelError('disconnected', 'There is no tab to ask for credentials.'));
    }
    this.#questions.set(q, { ...question, tab });
    this.#tell([tab], ['ask', q, question.refresh]);
  }

  #answered(q: number, tab: TabId, auth: unknown, error: string | undefined): void {
    const question = this.#questions.get(q);
    if (question?.tab !== tab) return;
    this.#questions.delete(q);
    question.settle(error === undefined ? null : new Error(error), auth);
  }

  // ——— what tabs are told ———

  #facts(): LinkFacts {
    const { client, limits, roundTripMs, counts } = this.#session;
    return { client, limits, roundTripMs, counts: { ...counts }, tabs: this.#switchboard.tabs.length };
  }

  #tell(to: readonly TabId[] | null, news: News): void {
    if (this.#over) return;
    this.#news.push([to, news]);
    if (this.#news.length === 1) queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    if (this.#news.length === 0) return;
    const news = this.#news;
    this.#news = [];
    this.#options.post({ kind: 'down', host: this.#options.id, news });
  }
}
