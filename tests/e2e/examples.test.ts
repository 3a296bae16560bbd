/** Every example, started by the command that its readers are told, and used in a browser. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Browser, openBrowser, screenshots } from './browser.ts';

const root = new URL('../../', import.meta.url);
let browser: Browser;
const running: ChildProcess[] = [];

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());
afterEach(async () => {
  for (const child of running.splice(0)) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    // The command starts the example as its child, and ends with it.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    await ended;
  }
});

/** Starts an example; resolves to its address. */
async function start(name: string): Promise<string> {
  const env = { ...process.env, PORT: '0' };
  const child = spawn('npm', ['run', '--silent', 'example', name], { cwd: root, env, detached: true });
  running.push(child);
  const said: string[] = [];
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
  const lines = readdirSync(folder).flatMap((file) =>
    readFileSync(new URL(file, folder), 'utf8').trimEnd().split('\n'),
  );
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
});
