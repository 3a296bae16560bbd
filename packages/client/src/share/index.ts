/** What `share: true` loads: a session that all tabs of an origin have in common. */

import { findCredentials } from '../credentials.ts';
import type { DriverOptions, Machinery, NewSession } from '../driver.ts';
import type { LinkOptions } from './host.ts';
import { type Broadcast, Membership } from './membership.ts';
import { TabSession } from './tab-session.ts';

/** The part of a `SharedWorker` that is used: where there is no DOM, there is no such type. */
export interface SharedWorkerLike {
  readonly port: { postMessage(message: unknown): void };
  addEventListener(type: 'error', listener: () => void): void;
}

/** How tabs share a session. */
export interface ShareOptions {
  /**
   * Where the session lives: a `SharedWorker` that calls `serveTabs()`, or the URL of its script, which is a module. Default, and where there are no
   * such workers: one of the tabs.
   */
  readonly worker?: string | URL | (() => SharedWorkerLike);
  /** Only tabs that give the same name share, for instance the user's id. At most 64 characters. Default: none. */
  readonly name?: string;
}

/** What a tab tells a worker to host. */
export interface WorkerOrder {
  readonly kind: 'host';
  readonly name: string;
  readonly link: LinkOptions;
}

/** Makes sessions that are shared; null where the page has no means for that. */
export function shareSession(
  share: true | ShareOptions,
  options: DriverOptions,
  machinery: Machinery,
): NewSession | null {
  const { worker, name: given = '' } = share === true ? {} : share;
  const { auth, environment, endpoint, transports, credentials, headers, timeoutMs } = options;
  const { locks } = environment;
  const openBroadcast =
    environment.openBroadcast ?? (globalThis.BroadcastChannel && ((of: string): Broadcast => new BroadcastChannel(of)));
  if (locks === undefined || !openBroadcast) return null;
  const name = [endpoint.http, transports, credentials, given].join(' ');
  const link = { endpoint, transports, credentials, headers, timeoutMs, hasAuth: auth !== undefined };

  return (session, input) => {
    let membership: Membership | null = null;
    let asked = false;
    let unwatch = (): void => {};
    const stand = (): void => {
      if (worker === undefined || !globalThis.SharedWorker) return membership?.stand();
      asked = true;
      const order: WorkerOrder = { kind: 'host', name, link };
      try {
        const shared = typeof worker === 'function' ? worker() : new SharedWorker(worker, { type: 'module' });
        shared.addEventListener('error', () => membership?.stand());
        shared.port.postMessage(order);
      } catch {
        membership?.stand();
      }
    };
    const tab = new TabSession(session, {
      begin: (ready) => {
        const id = environment.newId();
        const receive = (message: Parameters<TabSession['receive']>[0]): void =>
          input((now) => tab.receive(message, now));
        const member = { id, receive };
        const begun = new Membership({ name, environment, machinery, locks, openBroadcast, link, tab: member });
        membership = begun;
        unwatch = watchHiding(() => input(() => tab.suspend()));
        begun.begin(() =>
          input(() => {
            ready(id);
            stand();
          }),
        );
      },
      send: (message) => membership?.send(message),
      end: () => {
        membership?.end();
        unwatch();
      },
      usurp: () => {
        // A worker that has crashed is started again by this.
        if (worker !== undefined && !asked) return stand();
        asked = false;
        membership?.stand(true);
      },
      hosts: () => membership?.hosts === true,
      findCredentials: (refresh) => findCredentials(auth, refresh, environment.after),
    });
    return tab;
  };
}

/** Calls `suspend` when the page is put aside for the back button; returns what stops that. */
function watchHiding(suspend: () => void): () => void {
  const stop = new AbortController();
  const handle = ({ persisted }: PageTransitionEvent): void => {
    if (persisted) suspend();
  };
  globalThis.addEventListener?.('pagehide', handle, { signal: stop.signal });
  return () => stop.abort();
}
