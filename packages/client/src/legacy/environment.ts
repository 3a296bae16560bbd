/** What the client takes from a page of which little is known. Stands in for `../environment.ts`. */
import type { Environment } from '../environment.ts';
import { page } from './page.ts';

/** The longest time that `setTimeout` takes. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export function defaultEnvironment(): Environment {
  return {
    // Requests are made by `xhr-exchange.ts`.
    fetch: () => {
      throw new Error('fetch is not used here');
    },
    // A host object need not be a function, nor be one that can be called otherwise.
    WebSocket: page.WebSocket ? (PageSocket as never) : null,
    loadWebSocket: () => Promise.reject(new Error('there is no WebSocket here')),
    monotonicMs: () => (page.performance?.now ? page.performance.now() : Date.now()),
    wallMs: () => Date.now(),
    random: () => Math.random(),
    newId,
    after: (ms, run) => {
      const timer = setTimeout(run, Math.min(Math.max(Math.ceil(ms), 1), TIMER_MS_MAX));
      return () => clearTimeout(timer);
    },
    watch: ({ wake, leave }) => {
      const { document } = page;
      const shown = (): void => {
        if (document?.visibilityState !== 'hidden') wake();
      };
      // A page that is kept for the back button is not gone: its session waits, as through any other interruption.
      const hide = (event: { persisted?: boolean }): void => {
        if (!event.persisted) leave();
      };
      const listeners: [target: Page | undefined, event: string, run: unknown][] = [
        [page, 'online', wake],
        [page, 'pageshow', wake],
        // Internet Explorer 10 has no `pagehide`.
        [page, 'onpagehide' in page ? 'pagehide' : 'unload', hide],
        [document as never, 'visibilitychange', shown],
      ];
      for (const [target, event, run] of listeners) target?.addEventListener?.(event, run as EventListener);
      return () => {
        for (const [target, event, run] of listeners) target?.removeEventListener?.(event, run as EventListener);
      };
    },
  };
}

type Page = typeof page;

function PageSocket(url: string): unknown {
  return new (page.WebSocket as new (url: string) => object)(url);
}

/** 128 bits: as good as the page has them. */
function newId(): string {
  const crypto = page.crypto ?? page.msCrypto;
  const bytes = crypto && page.Uint8Array ? crypto.getRandomValues(new page.Uint8Array(16)) : null;
  let id = '';
  for (let i = 0; i < 16; i++) id += ((bytes?.[i] ?? Math.floor(Math.random() * 256)) + 256).toString(16).slice(1);
  return id;
}
