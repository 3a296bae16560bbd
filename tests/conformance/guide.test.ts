/** Every piece of code in the guide compiles as it stands there. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root, SnippetProject, snippetsOf } from './snippets.ts';

const guide = new URL('docs/guide/', root);
const pages = readdirSync(guide).filter((name) => name.endsWith('.md'));
const project = new SnippetProject('guide');

/** What the guide's first page says that its readers have. */
const world = `
import type { Client, ClientChannel } from '@runnel/client';
import type { RunnelServer } from '@runnel/server';
import type { AppContract } from './contract.ts';
interface User { readonly id: string; readonly name: string; readonly rooms: readonly string[]; readonly guest: boolean }
declare global {
  const client: Client<AppContract>;
  const room: ClientChannel<AppContract, 'room/:roomId'>;
  const realtime: RunnelServer<AppContract, User>;
}
`;

beforeAll(async () => {
  await project.begin();
  await project.write('world.ts', world);
  for (const page of pages) {
    for (const [at, { file, language, code }] of snippetsOf(readFileSync(new URL(page, guide), 'utf8')).entries()) {
      // Each is a module of its own, so that it may give its own meaning to the names that the world has.
      await project.write(file ?? `${page.replace('.md', '')}-${at + 1}.${language}`, `${code}\nexport {};\n`);
    }
  }
});
afterAll(() => project.end());

test('the guide has code on each of its pages', () => {
  expect(pages.length).toBeGreaterThan(10);
  for (const page of pages)
    expect([page, snippetsOf(readFileSync(new URL(page, guide), 'utf8')).length]).not.toEqual([page, 0]);
});

test('compiles', async () => {
  expect(await project.compile()).toBe('');
}, 60_000);

test('links to pages and headings that there are', () => {
  const slug = (heading: string) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .trim()
      .replaceAll(' ', '-');
  const broken: string[] = [];
  for (const page of pages) {
    const text = readFileSync(new URL(page, guide), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\(([^)]+)\)/g)) {
      if (target.startsWith('http')) continue;
      const [file = '', heading] = target.split('#');
      try {
        const linked = readFileSync(new URL(file === '' ? page : file, guide), 'utf8');
        const headings = [...linked.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => slug(title));
        if (heading !== undefined && !headings.includes(heading)) broken.push(`${page}: ${target}`);
      } catch {
        broken.push(`${page}: ${target}`);
      }
    }
  }
  expect(broken).toEqual([]);
});
