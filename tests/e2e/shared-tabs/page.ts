/** What each tab runs: it keeps what it hears where the test finds it. */
import { type Client, createClient, type ShareOptions } from '@runnel/client';
import type { Contract } from './contract.ts';

export interface TabState {
  readonly client: Client<Contract>;
  readonly ticks: number[];
  readonly gaps: unknown[];
  readonly items: string[];
  /** When the first of them came, ms since 1970. */
  firstAt: number;
}

declare global {
  interface Window {
    tab: TabState;
  }
}

const how = new URL(location.href).searchParams.get('share');
const worker: ShareOptions = { worker: new URL('/worker.js', location.href) };
const share = how === 'worker' ? worker : how === 'tab';
const client = createClient<Contract>('/realtime', { share });
const tab: TabState = { client, ticks: [], gaps: [], items: [], firstAt: Number.POSITIVE_INFINITY };
window.tab = tab;
const live = client.channel('live');
live.on('tick', (n) => tab.ticks.push(n));
live.onGap((gap) => tab.gaps.push(gap));
client.channel('news', { rewind: 1 }).on('item', (text) => {
  tab.firstAt = Math.min(tab.firstAt, Date.now());
  tab.items.push(text);
});
