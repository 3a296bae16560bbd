/// <reference types="node" />
import { readFileSync } from 'node:fs';

const text = readFileSync(new URL('../../../../docs/PROTOCOL.md', import.meta.url), 'utf8');

/** The rows below the first table of a section of docs/PROTOCOL.md, each as its cells without backticks around the whole cell. */
export function tableOf(section: string): string[][] {
  const body = text.split(/^## /m).find((part) => part.startsWith(section));
  if (body === undefined) throw new Error(`docs/PROTOCOL.md has no section "${section}"`);
  const rows = /(?:^\|.*\|\n)+/m.exec(body)?.[0].trimEnd().split('\n') ?? [];
  return rows.slice(2).map((row) =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
