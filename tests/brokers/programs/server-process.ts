/** A server of the system that a test starts, ends by its pid, and starts again on the same port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { condition } from '../../support/condition.ts';
import { freePort, isListening } from '../../support/free-port.ts';

export interface ServerSpec {
  /** The command. */
  readonly name: string;
  readonly debianPackage: string;
  /** Given the port to listen on, and a folder for its files. */
  readonly args: (port: number, folder: string) => readonly string[];
}

export class ServerProcess {
  readonly port: number;
  readonly #spec: ServerSpec;
  readonly #folder: string;
  #child: ChildProcess | null = null;
  /** What it has said since it was started. */
  #said = '';

  private constructor(spec: ServerSpec, port: number, folder: string) {
    this.#spec = spec;
    this.port = port;
    this.#folder = folder;
  }

  static async start(spec: ServerSpec): Promise<ServerProcess> {
    const folder = await mkdtemp(join(tmpdir(), `brokers-${spec.name}-`));
    const server = new ServerProcess(spec, await freePort(), folder);
    await server.start();
    return server;
  }

  /** Resolves when it accepts connections. */
  async start(): Promise<void> {
    const { name, debianPackage, args } = this.#spec;
    const child = spawn(name, args(this.port, this.#folder), { cwd: this.#folder, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.#said = '';
    let missing = false;
    child.on('error', () => {
      missing = true;
    });
    for (const output of [child.stdout, child.stderr]) {
      output.on('data', (bytes: Buffer) => {
        this.#said = (this.#said + bytes.toString()).slice(-4_000);
      });
    }
    process.once('exit', this.#killNow);
    const isOver = (): boolean => missing || child.exitCode !== null;
    await condition(`${name} accepts connections`, async () => isOver() || (await isListening(this.port)));
    if (missing)
      throw new Error(`The tests need ${name} in PATH. On Debian, as root: apt-get install -y ${debianPackage}`);
    if (isOver()) throw new Error(`${name} ended with ${child.exitCode}: ${this.#said}`);
  }

  /** It dies without a word. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#child = null;
    process.off('exit', this.#killNow);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** It stops in the middle of what it does, and goes on after `resume`. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  readonly #killNow = (): void => {
    this.#child?.kill('SIGKILL');
  };
}
