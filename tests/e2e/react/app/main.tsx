import { createClient, type Transport } from '@runnel/client';
import { createElement, version } from 'react';
import { createRoot, hydrateRoot, type Root } from 'react-dom/client';
import type { ReactContract } from '../contract.ts';
import { App } from './app.tsx';

const query = new URLSearchParams(location.search);
const transport = query.get('transport');
const client = createClient<ReactContract>('/realtime', {
  auth: query.get('name') ?? 'ann',
  ...(transport === null ? {} : { transports: [transport as Transport] }),
});
const app = createElement(App, { client, lostAfterMs: Number(query.get('lostAfterMs') ?? 2_000) });
const container = document.getElementById('root') as HTMLElement;
const onRecoverableError = (error: unknown): void => console.error(error);
let root: Root;
if (container.hasChildNodes()) root = hydrateRoot(container, app, { onRecoverableError });
else {
  root = createRoot(container, { onRecoverableError });
  root.render(app);
}
document.getElementById('unmount')?.addEventListener('click', () => root.unmount());
document.documentElement.dataset['react'] = version;
