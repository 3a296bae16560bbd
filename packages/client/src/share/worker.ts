/** For the script of a `SharedWorker`, which is one call: `serveTabs()`. */
import { machinery } from '../driver.ts';
import { defaultEnvironment } from '../environment.ts';
import type { WorkerOrder } from './index.ts';
import { Membership } from './membership.ts';

interface SharedWorkerScope {
  onconnect: unknown;
}

/** Lets this worker have the session of the tabs that start it. To be called once, when the script is run. */
export function serveTabs(): void {
  const memberships = new Map<string, Membership>();
  const environment = defaultEnvironment();
  const handle = ({ data }: { readonly data: unknown }): void => {
    const { kind, name, link } = data as WorkerOrder;
    if (kind !== 'host' || memberships.has(name)) return;
    const { locks } = navigator;
    const openBroadcast = (of: string): BroadcastChannel => new BroadcastChannel(of);
    const membership = new Membership({ name, environment, machinery, locks, openBroadcast, link, tab: null });
    memberships.set(name, membership);
    membership.begin(() => membership.stand());
  };
  (globalThis as unknown as SharedWorkerScope).onconnect = ({ ports }: MessageEvent): void => {
    const [port] = ports;
    if (port !== undefined) port.onmessage = handle;
  };
}
