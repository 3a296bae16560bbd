/** Everything that the client takes from where it runs, so that a test can stand in for it. */
import { loadWebSocket } from '#missing-web-socket';
import type { Locks } from './share/locks.ts';
import type { Broadcast } from './share/membership.ts';

/** The part of a WebSocket that is used. Browsers', Node's and that of the package `ws` all have it. */
export interface WebSocketLike {
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
  onerror: unknown;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

/** Makes a WebSocket. `options`, outside browsers only, is `{ headers }`. */
export type WebSocketConstructor = new (url: string, options?: never) => WebSocketLike;

export interface Environment {
  /** Default: the global `fetch`. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Default: the global `WebSocket`, or null where there is none. */
  readonly WebSocket: WebSocketConstructor | null;
  /** Where `WebSocket` is null: finds one, or rejects. Default: the package `ws` in Node. */
  readonly loadWebSocket: () => Promise<WebSocketConstructor>;
  /** A clock that nobody sets, ms. It may stand still while the machine sleeps. Default: `performance.now()`. */
  readonly monotonicMs: () => number;
  /** The time of day, ms since 1970. Default: `Date.now()`. */
  readonly wallMs: () => number;
  /** A random number in [0, 1). Default: `Math.random()`. */
  readonly random: () => number;
  /** A name that nobody can guess, at most 64 characters. Default: 128 bits of `crypto.getRandomValues`. */
  readonly newId: () => string;
  /** Calls `run` once after `ms`; returns what calls that off. Default: `setTimeout`. */
  readonly after: (ms: number, run: () => void) => () => void;
  /**
   * Calls `wake` when the network or the page may have come back, and `leave` when the page goes for good; returns what stops that. Default: by `online`,
   * `visibilitychange`, `pageshow`, `pagehide` and the like, where there are such events.
   */
  readonly watch: (page: { readonly wake: () => void; readonly leave: () => void }) => () => void;
  /** Tells tabs who of them lives. Default: `navigator.locks`, where there is that. */
  readonly locks?: Locks | undefined;
  /** A channel to the other tabs. Default: a `BroadcastChannel`. */
  readonly openBroadcast?: (name: string) => Broadcast;
}

/** The longest time that `setTimeout` takes. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** What globals there are depends on where this runs. */
interface Globals {
  readonly WebSocket?: WebSocketConstructor;
  readonly document?: Document;
  readonly navigator?: { readonly connection?: EventTarget; readonly locks?: Locks };
  readonly addEventListener?: EventTarget['addEventListener'];
}

const globals: Globals = globalThis as never;

/** Requests that outlive their page may hold 64 KiB of bytes together; a UTF-16 unit takes three at most. */
const OUTLIVING_CHARS_MAX = 21_000;

export function defaultEnvironment(): Environment {
  /** The page has gone for good: what is requested from here on must outlive it, or browsers abort it. */
  let leaving = false;
  return {
    fetch: (url, init) =>
      fetch(url, { ...init, keepalive: leaving && String(init.body).length <= OUTLIVING_CHARS_MAX }),
    WebSocket: globals.WebSocket ?? null,
    locks: globals.navigator?.locks,
    loadWebSocket,
    monotonicMs: () => performance.now(),
    wallMs: () => Date.now(),
    random: () => Math.random(),
    newId: () =>
      Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => (byte + 256).toString(16).slice(1)).join(''),
    after: (ms, run) => {
      const timer = setTimeout(run, Math.min(Math.max(Math.ceil(ms), 1), TIMER_MS_MAX));
      return () => clearTimeout(timer);
    },
    watch: ({ wake, leave }) => {
      const { document, navigator } = globals;
      const stop = new AbortController();
      const listen = (
        on: Partial<Pick<EventTarget, 'addEventListener'>> | undefined,
        type: string,
        run: (event: Event) => void,
      ) => on?.addEventListener?.(type, run, { signal: stop.signal });
      listen(globals, 'online', wake);
      listen(globals, 'pageshow', wake);
      listen(navigator?.connection, 'change', wake);
      listen(document, 'resume', wake);
      listen(document, 'visibilitychange', () => document?.visibilityState === 'hidden' || wake());
      // A page that is kept for the back button is not gone: its session waits, as through any other interruption.
      listen(globals, 'pagehide', (event) => {
        leaving = !(event as PageTransitionEvent).persisted;
        if (leaving) leave();
      });
      return () => stop.abort();
    },
  };
}
