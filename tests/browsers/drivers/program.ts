/** A program that a test starts, and all that it starts in turn. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

// A worker that is told to stop takes its browsers along: see `exit` below.
process.once('SIGTERM', () => process.exit());

/** The last of what it said, for whoever wants to know why it ended. */
const SAID_CHARS_MAX = 4_000;

export class Program {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #killGroup = (): void => {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      // The whole group is gone.
    }
  };
  #said = '';

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    // A process group of its own, so that what it has started ends with it.
    this.#child = spawn(command, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
    process.once('exit', this.#killGroup);
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.once('error', () => resolve());
    });
    // Pipes that nobody reads fill up, and then it stands still.
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (bytes: Buffer) => {
        this.#said = `${this.#said}${bytes}`.slice(-SAID_CHARS_MAX);
      });
    }
  }

  /** Resolves to what the first group of `pattern` matches in what the program writes to its file descriptor 1, 2 or 3. */
  async says(pattern: RegExp, descriptor: 1 | 2 | 3 = 2): Promise<string> {
    const stream = this.#child.stdio[descriptor] as Readable;
    let text = '';
    const said = new Promise<string>((resolve) => {
      stream.on('data', (bytes: Buffer) => {
        text += bytes;
        const found = pattern.exec(text)?.[1];
        if (found !== undefined) resolve(found);
      });
    });
    const gone = this.#ended.then(() => {
      throw new Error(`${this.#child.spawnfile} ended before it was ready:\n${this.#said}`);
    });
    return Promise.race([said, gone]);
  }

  /** Resolves when it has ended by itself. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Ends it on the spot, with all that it has started. */
  async kill(): Promise<void> {
    this.#killGroup();
    await this.#ended;
    process.off('exit', this.#killGroup);
  }
}
