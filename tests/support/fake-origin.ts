/** What the tabs of one origin have in common, in one process: locks and broadcast channels, and the ways in which a tab ends. */
import type { Broadcast, Environment, Locks } from '@runnel/client';
import WebSocket from 'ws';

interface Request {
  readonly tab: FakeTab;
  readonly exclusive: boolean;
  readonly grant: () => void;
  readonly lose: () => void;
}

interface Lock {
  held: Request[];
  queue: Request[];
}

export class FakeOrigin {
  readonly #locks = new Map<string, Lock>();
  readonly #channels = new Set<{ readonly tab: FakeTab; readonly name: string; readonly port: Broadcast }>();

  openTab(): FakeTab {
    return new FakeTab(this);
  }

  /** Locks that are had, of names that begin so. */
  held(prefix: string): number {
    const ours = [...this.#locks].filter(([name]) => name.startsWith(prefix));
    return ours.reduce((sum, [, { held }]) => sum + held.length, 0);
  }

  /** Says something to all tabs that listen on any channel, as another script of the origin may. */
  shout(message: unknown): void {
    for (const { tab, port } of [...this.#channels]) tab.later(() => (port.onmessage as Listener)({ data: message }));
  }

  locksFor(tab: FakeTab): Locks {
    return {
      request: (name, { mode = 'exclusive', steal = false, signal }, run) =>
        new Promise((resolve, reject) => {
          const lock = this.#locks.get(name) ?? { held: [], queue: [] };
          this.#locks.set(name, lock);
          const request: Request = {
            tab,
            exclusive: mode === 'exclusive',
            grant: () => {
              const over = (): void => {
                lock.held = lock.held.filter((other) => other !== request);
                this.#grant(lock);
              };
              const begin = (): void => {
                if (signal?.aborted) return over();
                void run().finally(over).then(resolve, reject);
              };
              // Slower than messages: it is the browser that says so, and not another page.
              tab.later(() => tab.later(() => tab.later(() => tab.later(begin))));
            },
            lose: () => tab.later(() => reject(new DOMException('stolen', 'AbortError'))),
          };
          if (signal?.aborted) return reject(signal.reason);
          signal?.addEventListener('abort', () => {
            if (!lock.queue.includes(request)) return;
            lock.queue = lock.queue.filter((other) => other !== request);
            reject(signal.reason);
            this.#grant(lock);
          });
          if (steal) {
            for (const loser of lock.held.splice(0)) loser.lose();
            lock.queue.unshift(request);
          } else lock.queue.push(request);
          this.#grant(lock);
        }),
    };
  }

  open(tab: FakeTab, name: string): Broadcast {
    const entry = {
      tab,
      name,
      port: {
        onmessage: null as unknown,
        postMessage: (message: unknown) => {
          if (tab.dead || !this.#channels.has(entry)) return;
          const data = structuredClone(message);
          for (const other of this.#channels) {
            if (other === entry || other.name !== name) continue;
            other.tab.later(() => this.#channels.has(other) && (other.port.onmessage as Listener | null)?.({ data }));
          }
        },
        close: () => void this.#channels.delete(entry),
      },
    };
    this.#channels.add(entry);
    return entry.port;
  }

  /** The browser has ended it. */
  forget(tab: FakeTab): void {
    for (const entry of [...this.#channels]) if (entry.tab === tab) this.#channels.delete(entry);
    for (const lock of this.#locks.values()) {
      lock.held = lock.held.filter((request) => request.tab !== tab);
      lock.queue = lock.queue.filter((request) => request.tab !== tab);
      this.#grant(lock);
    }
  }

  #grant(lock: Lock): void {
    for (let next = lock.queue[0]; next !== undefined; next = lock.queue[0]) {
      if (lock.held.some(({ exclusive }) => exclusive) || (next.exclusive && lock.held.length > 0)) return;
      lock.queue.shift();
      lock.held.push(next);
      next.grant();
    }
  }
}

type Listener = (event: { readonly data: unknown }) => void;

export class FakeTab {
  readonly environment: Partial<Environment>;
  dead = false;
  readonly #origin: FakeOrigin;
  readonly #sockets = new Set<WebSocket>();
  readonly #death = new AbortController();
  /** What waits while it is frozen; null: it is not. */
  #frozen: (() => void)[] | null = null;
  #page: { readonly wake: () => void; readonly leave: () => void } | null = null;

  constructor(origin: FakeOrigin) {
    this.#origin = origin;
    const sockets = this.#sockets;
    const later = this.later.bind(this);
    this.environment = {
      locks: origin.locksFor(this),
      openBroadcast: (name) => origin.open(this, name),
      after: (ms, run) => {
        const timer = setTimeout(() => later(run), ms);
        return () => clearTimeout(timer);
      },
      fetch: (url, init) => {
        if (this.dead) return new Promise(() => {});
        const signals = [this.#death.signal, ...(init.signal ? [init.signal] : [])];
        return fetch(url, { ...init, signal: AbortSignal.any(signals) });
      },
      WebSocket: class extends WebSocket {
        constructor(url: string, options?: never) {
          super(url, options);
          sockets.add(this);
        }
      } as never,
      watch: (page) => {
        this.#page = page;
        return () => {
          this.#page = null;
        };
      },
    };
  }

  /** In a task of its own, unless it is dead by then; when it is thawed if it is frozen. */
  later(run: () => void): void {
    setImmediate(() => {
      if (this.dead) return;
      if (this.#frozen === null) run();
      else this.#frozen.push(run);
    });
  }

  /** The user closes it: the page hears of that, and is gone. What it has sent last still goes out. */
  close(): void {
    this.#page?.leave();
    this.dead = true;
    this.#origin.forget(this);
  }

  /** It is gone without a word. */
  crash(): void {
    this.dead = true;
    for (const socket of this.#sockets) socket.terminate();
    this.#origin.forget(this);
    this.#death.abort();
  }

  freeze(): void {
    this.#frozen = [];
    for (const socket of this.#sockets) socket.pause();
  }

  thaw(): void {
    const due = this.#frozen ?? [];
    this.#frozen = null;
    for (const socket of this.#sockets) socket.resume();
    for (const run of due) run();
    this.wake();
  }

  wake(): void {
    this.#page?.wake();
  }
}
