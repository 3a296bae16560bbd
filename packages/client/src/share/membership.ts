/**
 * How a tab or a worker takes part: on a broadcast channel with all others, under a lock of its own by which its death shows, and, where it may, as a
 * candidate for the one lock whose holder is the host. Its own host it talks to directly: what is said when the page goes is heard.
 */
import type { Machinery } from '../driver.ts';
import type { Environment } from '../environment.ts';
import { Host, type LinkOptions, tabLock } from './host.ts';
import { hold, type Locks } from './locks.ts';
import { type HostState, readToHost, readToTabs, type TabId, type ToHost, type ToTabs, VERSION } from './messages.ts';

/** The part of a `BroadcastChannel` that is used. */
export interface Broadcast {
  onmessage: unknown;
  postMessage(message: unknown): void;
  close(): void;
}

export interface MembershipOptions {
  /** Names those who share a session. */
  readonly name: string;
  readonly environment: Environment;
  readonly machinery: Machinery;
  readonly locks: Locks;
  readonly openBroadcast: (name: string) => Broadcast;
  readonly link: LinkOptions;
  /** What a tab is told; null in a worker, which only hosts. */
  readonly tab: { readonly id: string; readonly receive: (message: ToTabs) => void } | null;
}

/** The lock whose holder is the host. */
const hostLock = (name: string): string => `runnel:${VERSION}:host:${name}`;

/** How long the word of a host that is gone may take to come when its lock has. */
const HAND_OVER_MS = 300;

export class Membership {
  readonly #options: MembershipOptions;
  /** Null until it has its lock, and when it is over. */
  #broadcast: Broadcast | null = null;
  #host: Host | null = null;
  /** Let go of when it is over. */
  readonly #holds: (() => void)[] = [];
  #leaveCandidacy: (() => void) | null = null;
  /** The host that was heard of last. */
  #known: string | null = null;
  /** What that one has handed over; null: nothing yet. */
  #inherited: HostState | null = null;
  /** Who has said goodbye since. */
  readonly #departed = new Set<TabId>();
  /** Called when it does. */
  #onInherited: () => void = () => {};
  #over = false;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  get hosts(): boolean {
    return this.#host !== null;
  }

  /** Takes part; `ready` is called when others hear of it. */
  begin(ready: () => void): void {
    const { locks, name, openBroadcast, tab } = this.#options;
    const granted = (): void => {
      this.#broadcast = openBroadcast(`runnel:${VERSION}:${name}`);
      this.#broadcast.onmessage = ({ data }: { readonly data: unknown }) => this.#receive(data);
      ready();
    };
    if (tab === null) granted();
    else this.#holds.push(hold(locks, tabLock(tab.id), { granted }));
  }

  /** Is to be the host when nobody else is, or in the place of one that does not answer. */
  stand(steal = false): void {
    if (this.#over || (this.#leaveCandidacy !== null && !steal)) return;
    const { locks, name } = this.#options;
    this.#leaveCandidacy?.();
    this.#leaveCandidacy = hold(locks, hostLock(name), {
      steal,
      granted: () => (steal ? this.#beginHost() : this.#succeed()),
      stolen: () => this.#dethroned(),
    });
  }

  send(message: ToHost): void {
    if (this.#host !== null) this.#host.receive(message);
    else this.#broadcast?.postMessage(message);
  }

  /** Takes part no more. A host hands its session over. */
  end(): void {
    this.#endOrphan();
    this.#over = true;
    this.#host?.handOver();
    this.#host = null;
    this.#onInherited = () => {};
    this.#broadcast?.close();
    this.#broadcast = null;
    this.#leaveCandidacy?.();
    for (const release of this.#holds) release();
  }

  /** A session that was handed over to nobody but us is over: all tabs were closed at once. */
  #endOrphan(): void {
    const { tab } = this.#options;
    const heirs = this.#inherited?.switchboard.tabs.map(([id]) => id) ?? [];
    const left = heirs.filter((id) => !this.#departed.has(id));
    if (tab === null || this.#host !== null || left.length !== 1 || left[0] !== tab.id) return;
    this.#beginHost();
    for (const from of heirs) this.send({ kind: 'bye', from, reason: 'the last tab was closed' });
  }

  /** It has the lock. Where there was a host, its word may still be on its way. */
  #succeed(): void {
    if (this.#known === null || this.#inherited !== null) return this.#beginHost();
    const callOff = this.#options.environment.after(HAND_OVER_MS, () => this.#beginHost());
    this.#onInherited = () => {
      callOff();
      this.#beginHost();
    };
  }

  #beginHost(): void {
    this.#onInherited = () => {};
    if (this.#over) return;
    const { environment, link, locks, machinery, tab } = this.#options;
    const resume = this.#inherited;
    this.#inherited = null;
    this.#host = new Host({
      id: environment.newId(),
      place: tab === null ? 'worker' : 'tab',
      home: tab?.id ?? null,
      link,
      environment,
      machinery,
      locks,
      resume,
      post: (message) => {
        this.#broadcast?.postMessage(message);
        if (!this.#over) tab?.receive(message);
      },
    });
    this.#host.begin();
  }

  /** Another has taken the lock: the session here is not heard of any more. */
  #dethroned(): void {
    this.#host?.yield();
    this.#host = null;
    this.#leaveCandidacy?.();
    this.#leaveCandidacy = null;
    this.stand();
  }

  #receive(data: unknown): void {
    const up = this.#host === null ? null : readToHost(data);
    if (up !== null) return this.#host?.receive(up);
    const down = readToTabs(data);
    if (down === null) {
      const left = readToHost(data);
      if (left?.kind === 'bye') this.#departed.add(left.from);
      return;
    }
    if (down.kind === 'handOver') {
      this.#inherited = down.state;
      this.#departed.clear();
      return this.#onInherited();
    }
    if (down.kind === 'here') {
      this.#inherited = null;
      if (this.#host !== null) this.#dethroned();
    }
    this.#known = down.host;
    this.#options.tab?.receive(down);
  }
}
