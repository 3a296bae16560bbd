import type { NewEntry } from './broker.ts';

/**
 * An entry as brokers outside the process keep it: a line of JSON, then the payload as it is. The payload is what most of it is, and is not
 * encoded a second time.
 */
export function entryText({ event, data, by, key }: NewEntry): string {
  const head: (string | null)[] = [event];
  if (by !== undefined || key !== undefined) head.push(by ?? null);
  if (key !== undefined) head.push(key);
  return `${JSON.stringify(head)}\n${data}`;
}

/** @throws SyntaxError for what no node has written */
export function entryOfText(text: string): NewEntry {
  const end = text.indexOf('\n');
  const [event, by, key] = JSON.parse(text.slice(0, end)) as readonly [string, (string | null)?, string?];
  return {
    event,
    data: text.slice(end + 1),
    ...(typeof by === 'string' && { by }),
    ...(key !== undefined && { key }),
  };
}
