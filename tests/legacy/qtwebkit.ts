/** QtWebKit, the engine of Safari 10 as of 2016, driven by the Python script beside this file. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { PagePort } from './old-page.ts';

/** Debian's own, which finds Debian's PyQt5. */
const python = '/usr/bin/python3';

export async function openQtWebKit(url: string, line: (text: string) => void): Promise<PagePort> {
  const browser = spawn(python, [join(import.meta.dirname, 'qtwebkit.py'), url], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const exited = once(browser, 'exit');
  createInterface({ input: browser.stdout }).on('line', line);
  await once(browser, 'spawn');
  return {
    run: (script) => {
      browser.stdin.write(`${script}\n`);
    },
    close: async () => {
      browser.stdin.end();
      await exited;
    },
  };
}
