/** The processes of one run: a server for each contender, all up at once, and the load generator. */
import { Child } from './child.ts';
import type { ContenderName } from './contenders/roster.ts';
import type { LoadCommand, LoadReport, ServerCommand, ServerReport } from './messages.ts';
import type { Plan } from './plan.ts';

/** How long a process may take for what it is asked, ms. */
const START_MS = 20_000;
const CONNECT_MS = 20_000;
export const ANSWER_MS = 10_000;

type ServerProcess = Child<ServerCommand, ServerReport>;
type LoadProcess = Child<LoadCommand, LoadReport>;

/** Bytes of one server; heap after a garbage collection. */
export interface Memory {
  readonly heapBytes: number;
  readonly rssBytes: number;
}

export interface Competitor {
  readonly name: ContenderName;
  readonly version: string;
  readonly server: ServerProcess;
  /** Before the first connection, and with all of them idle. */
  readonly empty: Memory;
  readonly idle: Memory;
}

export class Arena {
  readonly #plan: Plan;
  readonly #children: { stop(): Promise<void> }[] = [];

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** Starts everything and connects everybody. */
  async start(progress: (text: string) => void): Promise<{ competitors: readonly Competitor[]; load: LoadProcess }> {
    const { contenders, subscribers } = this.#plan;
    const load: LoadProcess = new Child({ name: 'load', program: new URL('load/process.ts', import.meta.url) });
    this.#children.push(load);
    const competitors: Competitor[] = [];
    for (const name of contenders) {
      progress(`connecting ${subscribers} subscribers to ${name}`);
      const server = this.#startServer(name);
      const { port, version } = await server.next('listening', START_MS);
      const empty = await memoryOf(server);
      load.send({ type: 'connect', contender: name, port, count: subscribers });
      await load.next('connected', CONNECT_MS);
      competitors.push({ name, version, server, empty, idle: await memoryOf(server) });
    }
    return { competitors, load };
  }

  /** Ends every process; resolves when all are gone. */
  async stop(): Promise<void> {
    await Promise.all(this.#children.splice(0).map((child) => child.stop()));
  }

  #startServer(name: ContenderName): ServerProcess {
    const server: ServerProcess = new Child({
      name,
      program: new URL('contenders/process.ts', import.meta.url),
      args: [name],
      execArgv: ['--expose-gc'],
    });
    this.#children.push(server);
    return server;
  }
}

export async function memoryOf(server: ServerProcess): Promise<Memory> {
  server.send({ type: 'memory' });
  const { heapBytes, rssBytes } = await server.next('memory', ANSWER_MS);
  return { heapBytes, rssBytes };
}

export type { LoadProcess };
