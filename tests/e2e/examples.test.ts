/** Every example, started by the command that its readers are told, and used in a browser. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Browser, openBrowser, screenshots } from './browser.ts';
import { DemoPage } from './demo-page.ts';

const root = new URL('../../', import.meta.url);
let browser: Browser;
const running: ChildProcess[] = [];

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());
afterEach(stopAll);

async function stopAll(): Promise<void> {
  for (const child of running.splice(0)) {
    // Closed when all have ended that may say something: npm does before what it has started.
    const ended = new Promise((resolve) => child.once('close', resolve));
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    await ended;
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Starts an example; resolves to its address. `said`: takes its lines. */
async function start(name: string, said: string[] = []): Promise<string> {
  const env = { ...process.env, PORT: '0' };
  const child = spawn('npm', ['run', '--silent', 'example', name], { cwd: root, env, detached: true });
  running.push(child);
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on('line', (line) => {
        said.push(line);
        const url = /http:\/\/\S+/.exec(line)?.[0];
        if (url !== undefined) resolve(url);
      });
    }
    child.once('exit', () => reject(new Error(`${name} ended:\n${said.join('\n')}`)));
  });
}

const at = (page: Page, selector: string): Locator => page.locator(selector);
const shoot = (page: Page, name: string) => page.screenshot({ path: `${screenshots}/example-${name}.png` });

const folders = readdirSync(new URL('examples/', root), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
  .map(({ name }) => name);

test.each(folders)('%s has at most 120 lines', (name) => {
  const folder = new URL(`examples/${name}/`, root);
  const code = readdirSync(folder).filter((file) => /\.(?:tsx?|html)$/.test(file));
  const lines = code.flatMap((file) => readFileSync(new URL(file, folder), 'utf8').trimEnd().split('\n'));
  expect(lines.length).toBeGreaterThan(20);
  expect(lines.length).toBeLessThanOrEqual(120);
});

describe('examples', () => {
  test('chat', async () => {
    const url = await start('chat');
    const [ann, bob] = [await browser.open(`${url}?name=ann`), await browser.open(`${url}?name=bob`)];
    await at(ann, '#here:text("ann, bob")').or(at(ann, '#here:text("bob, ann")')).waitFor();
    await at(bob, '#text').pressSequentially('hel');
    await at(ann, '#typing:text("bob is typing …")').waitFor();
    await at(bob, '#text').pressSequentially('lo');
    await at(bob, '#form button').click();
    await at(ann, 'li:text-is("bob: hello")').waitFor();
    await at(bob, 'li:text-is("me: hello")').waitFor();
    const late = await browser.open(`${url}?name=cat`);
    await at(late, 'li:text-is("bob: hello")').waitFor();
    await shoot(ann, 'chat');
    await bob.close();
    await at(ann, '#here:text("ann, cat")').or(at(ann, '#here:text("cat, ann")')).waitFor();
  });

  test('alerts', async () => {
    const url = await start('alerts');
    const alert = (to: string, body: string) =>
      fetch(`${url}/alerts/${to}`, { method: 'POST', body, headers: { 'content-type': 'text/plain' } });
    await alert('ann', 'before she came');
    const ann = await browser.open(`${url}?user=ann`);
    await at(ann, 'li:has-text("before she came")').waitFor();
    await alert('bob', 'not for her');
    await alert('ann', 'while she is here');
    await at(ann, 'li:has-text("while she is here")').waitFor();
    await ann.goto('about:blank');
    await alert('ann', 'while she was away');
    await ann.goto(`${url}?user=ann`);
    await at(ann, 'li:has-text("while she was away")').waitFor();
    await at(ann, '#send').click();
    await at(ann, 'li:has-text("Your parcel is here.")').waitFor();
    expect(await at(ann, 'li').count()).toBe(2);
    await shoot(ann, 'alerts');
  });

  test('ticker', async () => {
    const url = await start('ticker');
    const page = await browser.open(url);
    await at(page, 'tr:has-text("UMBRELLA")').waitFor();
    expect(await at(page, 'tr').count()).toBe(4);
    const price = await at(page, 'tr:has-text("ACME") td:last-child').textContent();
    await at(page, `tr:has-text("ACME") td:last-child:not(:text-is("${price}"))`).waitFor();
    await shoot(page, 'ticker');
  });

  test('cursors', async () => {
    const url = await start('cursors');
    const [ann, bob] = [await browser.open(`${url}?name=ann`), await browser.open(`${url}?name=bob`)];
    await at(ann, '#here:text-is("2 here")').waitFor();
    await at(bob, '#here:text-is("2 here")').waitFor();
    await at(bob, '.board').hover({ position: { x: 40, y: 60 } });
    await at(bob, '.board').hover({ position: { x: 80, y: 90 } });
    await at(ann, '.cursor[style*="left"]:text-is("bob")').waitFor();
    await shoot(ann, 'cursors');
    await bob.close();
    await at(ann, '#here:text-is("1 here")').waitFor();
    expect(await at(ann, '.cursor').count()).toBe(0);
  });

  test('tokens', async () => {
    const url = await start('tokens');
    const page = await browser.open(url);
    await at(page, '#form button').first().click();
    await at(page, '#note:has-text("tokens")').waitFor();
    expect(await at(page, '#answer').textContent()).toMatch(/^You said “How do streams work\?”\..* stops it\.$/);
    await shoot(page, 'tokens');
    await at(page, '#form button').first().click();
    await at(page, '#answer:has-text("said")').waitFor();
    await at(page, '#stop').click();
    await at(page, '#note:text-is("stopped")').waitFor();
    expect(await at(page, '#answer').textContent()).not.toMatch(/stops it/);
    await at(page, '#prompt').fill('your password?');
    await at(page, '#form button').first().click();
    await at(page, '#note:has-text("refused")').waitFor();
  });

  test('live-query', async () => {
    const url = await start('live-query');
    const [one, two] = [await browser.open(url), await browser.open(url)];
    await at(one, '#title').fill('Water the plants');
    await at(one, '#form button').click();
    await at(two, 'li:has-text("Water the plants")').waitFor();
    await at(two, 'li input').check();
    await at(one, 'li input:checked').waitFor();
    const late = await browser.open(url);
    await at(late, 'li input:checked').waitFor();
    await shoot(one, 'live-query');
    await at(late, '#tidy').click();
    await at(one, 'li').waitFor({ state: 'detached' });
  });

  test('dashboard', async () => {
    const url = await start('dashboard');
    const [ann, bob] = [await browser.open(`${url}?name=ann`), await browser.open(`${url}?name=bob`)];
    await at(ann, 'p:has-text("ann"):has-text("bob")').waitFor();
    expect(await at(ann, 'li').count()).toBe(4);
    const cpu = await at(ann, 'li:has-text("CPU") .bar').getAttribute('style');
    await at(ann, `li:has-text("CPU") .bar:not([style="${cpu}"])`).waitFor();
    await shoot(ann, 'dashboard');
    await bob.close();
    await at(ann, 'p:not(:has-text("bob")):has-text("ann")').waitFor();
  });

  test('cluster: all arrives while node after node is killed, and nothing is left running', async () => {
    const said: string[] = [];
    const url = await start('cluster', said);
    const pages = await Promise.all([1, 2, 3].map(async () => new DemoPage(await browser.open(url))));
    for (const page of pages) await page.connected('websocket');
    const pidOf = (line: string): number => Number(/process (\d+)/.exec(line)?.[1]);
    const first = said.filter((line) => line.startsWith('node-')).map(pidOf);
    const expected: string[] = [];
    const talk = async (when: string): Promise<void> => {
      for (const [i, page] of pages.entries()) {
        const text = `~${i} ${when}`;
        expected.push(text);
        await page.say(text);
        await Promise.all(pages.map((other) => other.sees(text)));
      }
    };
    await talk('before');
    for (const [n, pid] of first.entries()) {
      process.kill(pid, 'SIGKILL');
      await talk(`after ${n + 1}`);
    }
    for (const page of pages) expect(await page.part('message').filter({ hasText: '~' }).count()).toBe(expected.length);
    const texts = await pages[0]?.messages('~');
    expect(texts?.map((text) => expected.findIndex((one) => text.includes(one)))).toEqual([...expected.keys()]);
    await shoot((pages[0] as DemoPage).page, 'cluster');

    expect(said.filter((line) => line.startsWith('node-')).length).toBe(6);
    await stopAll();
    const pids = said.filter((line) => line.startsWith('node-')).map(pidOf);
    expect(pids.filter(isRunning)).toEqual([]);
  }, 120_000);

  test('cluster: what Docker is told names what is there', () => {
    const folder = new URL('examples/cluster/', root);
    const file = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
    const services = [...file('compose.yaml').matchAll(/^ {2}([\w-]+):/gm)].map(([, name]) => name);
    const upstreams = [...file('nginx.conf').matchAll(/server ([\w-]+):3000/g)].map(([, name]) => name);
    expect(upstreams).toEqual(['node-1', 'node-2', 'node-3']);
    expect(services).toEqual(expect.arrayContaining([...upstreams, 'redis', 'balancer']));
    const [, mounted = ''] = /'\.\/(.+?):/.exec(file('compose.yaml')) ?? [];
    const [, dockerfile = ''] = /dockerfile: (\S+) /.exec(file('compose.yaml')) ?? [];
    expect([existsSync(new URL(mounted, folder)), existsSync(new URL(dockerfile, root))]).toEqual([true, true]);
    const [, script = ''] = /npm run (\w+)/.exec(file('Dockerfile')) ?? [];
    expect(JSON.parse(readFileSync(new URL('package.json', root), 'utf8')).scripts[script]).toBeDefined();
    const [, main = ''] = /CMD \["node", "(.+)"\]/.exec(file('Dockerfile')) ?? [];
    expect(existsSync(new URL(main.replace('/dist/', '/src/').replace('.js', '.ts'), root))).toBe(true);
  });
});
