import { createClient } from '@runnel/client';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import type { ReactContract } from '../contract.ts';
import { App } from './app.tsx';

/** The app as a server renders it, where nothing is connected. */
export function render(): string {
  const client = createClient<ReactContract>('http://127.0.0.1/realtime', { autoConnect: false });
  return renderToString(createElement(App, { client, lostAfterMs: 2_000 }));
}
