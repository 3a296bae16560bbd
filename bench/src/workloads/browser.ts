/** How many messages per second a page takes. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Competitor } from '../competitor.ts';
import type { Round } from '../findings.ts';
import type { Stage } from '../stage.ts';
import { runnel, socketIo } from './entrants.ts';
import type { Workload } from './workload.ts';

const CHROMIUM = '/usr/bin/chromium';
/** A page that was put in place of the server's own has no address, so its connections would count as reaching from the internet into a local network. */
const CHROMIUM_ARGS = ['--no-sandbox', '--disable-features=LocalNetworkAccessChecks'];
const RATES = [1_000, 2_000, 5_000, 10_000, 15_000, 20_000, 30_000, 40_000, 60_000, 80_000, 120_000];
const STEP_MS = 1_500;
const LONG_TASK_MS = 50;
/** A page that has not taken everything after this is too slow. */
const CATCH_UP_MS = 2_000;

/** What the page keeps for us. */
interface Books {
  ready: boolean;
  taken: number;
  /** Number of the next message; 0 before the first. */
  next: number;
  outOfOrder: number;
  longTasks: number[];
}

const LISTENERS: { readonly [label: string]: string } = {
  [runnel.label]: `
    const room = Runnel.createClient('/realtime', { auth: 'page' }).channel('room/:roomId', { roomId: '0' });
    room.onState((state) => { if (state.status === 'subscribed') books.ready = true; });
    room.on('message', take);`,
  [socketIo.label]: `
    const socket = io({ transports: ['websocket'] });
    socket.on('connect', () => { books.ready = true; });
    socket.on('message', take);`,
};

export const browser: Workload = {
  name: 'browser',
  title: 'A Chromium page',
  about: `The client libraries in a page whose handler counts. The rate rises in steps of ${STEP_MS / 1_000} s, sent in batches every 10 ms, until a task takes more than ${LONG_TASK_MS} ms or the page falls behind.`,
  quick: false,
  async run(stage) {
    const competitors = await stage.start([runnel, socketIo], { connections: 1, perSession: 1, groupSize: 1 }, 0);
    const chrome = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGS });
    const round = new Map<string, number>();
    try {
      for (const competitor of competitors) round.set(competitor.label, await highestRate(stage, chrome, competitor));
    } finally {
      await chrome.close();
    }
    const rounds: Round[] = [round];
    const unit = 'messages per second';
    return { cases: [{ name: 'before long tasks', unit, baseline: socketIo.label, rounds, targets: [], compared: 0 }] };
  },
};

async function highestRate(stage: Stage, chrome: Browser, competitor: Competitor): Promise<number> {
  const page = await openPage(chrome, competitor);
  const { name, windowMs } = stage.pace;
  const ms = name === 'full' ? STEP_MS : windowMs;
  let highest = 0;
  for (const rate of name === 'smoke' ? RATES.slice(0, 1) : RATES) {
    const { sent } = await competitor.publishAt(rate, ms);
    const { taken, outOfOrder, longTasks } = await settledBooks(page, sent);
    if (outOfOrder > 0) throw new Error(`${competitor.label}: ${outOfOrder} messages out of order in the page`);
    const longest = Math.max(0, ...longTasks);
    const reached = Math.round((sent / ms) * 1_000);
    stage.progress(
      `${competitor.label}: ${reached} per second, ${sent - taken} late, longest task ${longest.toFixed(0)} ms`,
    );
    if (taken < sent || longest > LONG_TASK_MS) break;
    highest = Math.max(highest, reached);
  }
  await page.close();
  return highest;
}

async function openPage(chrome: Browser, competitor: Competitor): Promise<Page> {
  const page = await chrome.newPage();
  // From the server's own origin, without the server having a page.
  const url = `http://127.0.0.1:${competitor.port}/page`;
  await page.route(url, (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>page</title>' }),
  );
  await page.goto(url);
  await page.addScriptTag({ content: await library(competitor.label) });
  await page.addScriptTag({
    content: `
      const books = { ready: false, taken: 0, next: 0, outOfOrder: 0, longTasks: [] };
      globalThis.books = books;
      new PerformanceObserver((list) => list.getEntries().forEach((task) => books.longTasks.push(task.duration))).observe({ type: 'longtask' });
      const take = ({ n }) => {
        if (books.next !== 0 && n !== books.next) books.outOfOrder += 1;
        books.next = n + 1;
        books.taken += 1;
      };
      ${LISTENERS[competitor.label]}`,
  });
  await page.waitForFunction(() => (globalThis as unknown as { books: Books }).books.ready);
  return page;
}

/** When all has been taken, or it has had its time; the page's books begin anew. */
async function settledBooks(page: Page, sent: number): Promise<Books> {
  const all = ([count]: readonly [number]) => (globalThis as unknown as { books: Books }).books.taken >= count;
  await page.waitForFunction(all, [sent] as const, { timeout: CATCH_UP_MS }).catch(() => {});
  return page.evaluate(() => {
    const { books } = globalThis as unknown as { books: Books };
    const copy = { ...books };
    books.taken = 0;
    books.longTasks = [];
    return copy;
  });
}

async function library(label: string): Promise<string> {
  if (label === socketIo.label) {
    const folder = dirname(createRequire(import.meta.url).resolve('socket.io/package.json'));
    return readFileSync(join(folder, 'client-dist/socket.io.min.js'), 'utf8');
  }
  const { outputFiles } = await build({
    stdin: { contents: "export * from '@runnel/client'", resolveDir: fileURLToPath(new URL('../..', import.meta.url)) },
    ...{ bundle: true, minify: true, write: false, format: 'iife', globalName: 'Runnel', target: 'es2022' },
  });
  return outputFiles[0]?.text ?? '';
}
