/** Child processes of the benchmark: typed messages both ways, every wait bounded, and none left behind. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const STOP_MS = 3_000;

export interface ChildOptions {
  readonly name: string;
  readonly program: string;
  readonly args?: readonly string[];
  /** For Node itself. */
  readonly execArgv?: readonly string[];
}

interface Waiter<Report> {
  readonly type: string;
  readonly resolve: (report: Report) => void;
  readonly reject: (error: Error) => void;
}

export class Child<Command extends { readonly type: string }, Report extends { readonly type: string }> {
  readonly name: string;
  readonly pid: number;
  readonly #process: ChildProcess;
  /** Whoever waits for a report; null while nobody does. */
  #waiter: Waiter<Report> | null = null;
  /** Reports nobody has asked for yet. */
  readonly #reports: Report[] = [];
  /** Why nothing more is to be expected; null while all is well. */
  #failure: Error | null = null;

  constructor({ name, program, args = [], execArgv = [] }: ChildOptions) {
    this.name = name;
    // Without the condition and the loader that the benchmark itself runs under: packages are measured as they are published.
    this.#process = fork(program, args, { cwd: root, execArgv: [...execArgv] });
    if (this.#process.pid === undefined) throw new Error(`The process of ${name} did not start`);
    this.pid = this.#process.pid;
    this.#process.on('message', (report) => this.#handleReport(report as Report));
    this.#process.on('exit', (code, signal) =>
      this.#fail(new Error(`${name} has ended (${signal ?? `code ${code}`})`)),
    );
    this.#process.on('error', (error) => this.#fail(error));
  }

  send(command: Command): void {
    if (this.#process.connected) this.#process.send(command);
  }

  /** The next report, which must be of this type. */
  async next<T extends Report['type']>(type: T, timeoutMs: number): Promise<Extract<Report, { readonly type: T }>> {
    let timer: NodeJS.Timeout | undefined;
    const report = await new Promise<Report>((resolve, reject) => {
      if (this.#waiter !== null) return reject(new Error(`Two wait for ${this.name} at once`));
      this.#waiter = { type, resolve, reject };
      timer = setTimeout(() => {
        this.#fail(new Error(`${this.name} did not report '${type}' within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#settle();
    }).finally(() => clearTimeout(timer));
    return report as Extract<Report, { readonly type: T }>;
  }

  /** Asks it to end; makes it end if it does not. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), STOP_MS);
    if (this.#process.connected) this.#process.send({ type: 'stop' });
    else this.#process.kill('SIGKILL');
    await ended;
    clearTimeout(timer);
  }

  #handleReport(report: Report): void {
    if (report.type === 'failed') {
      const { message } = report as { readonly message?: unknown };
      this.#fail(new Error(`${this.name}: ${message}`));
    } else {
      this.#reports.push(report);
      this.#settle();
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#settle();
  }

  #settle(): void {
    const waiter = this.#waiter;
    if (waiter === null) return;
    const report = this.#reports.shift();
    if (report === undefined && this.#failure === null) return;
    this.#waiter = null;
    if (report?.type === waiter.type) waiter.resolve(report);
    else waiter.reject(this.#failure ?? new Error(`${this.name} reported '${report?.type}', not '${waiter.type}'`));
  }
}

/** The child's side: reports to the parent, runs its commands, and ends with it. */
export function serveParent<Command extends { readonly type: string }, Report>(
  run: (command: Command) => void | Promise<void>,
): (report: Report) => void {
  const report = (message: unknown): void => {
    if (process.connected) process.send?.(message);
  };
  const fail = (error: unknown): void => report({ type: 'failed', message: String(error) });
  process.on('message', (command: Command) => {
    if (command.type === 'stop') process.exit(0);
    try {
      run(command)?.catch(fail);
    } catch (error) {
      fail(error);
    }
  });
  process.on('disconnect', () => process.exit(0));
  process.on('uncaughtException', fail);
  // A Ctrl-C reaches the whole process group: the parent says when to end.
  process.on('SIGINT', () => {});
  return report;
}
