/** A program of the system as an intermediary: its own folder, a free port, and an end by its pid. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Below what the kernel hands out by itself, so that no connection takes a port between its choice and its use. */
const PORT_MIN = 20_000;
const PORT_COUNT = 10_000;

/** How long a program may take to start, ms: Varnish has its configuration compiled. */
const PATIENCE_MS = 20_000;
/** It is asked this often whether it has, ms. */
const LOOK_MS = 20;

export interface Program {
  readonly port: number;
  stop(): Promise<void>;
}

export interface ProgramSpec {
  /** The command. `debianPackage` brings it; default: one of the same name. */
  readonly name: string;
  readonly debianPackage?: string;
  readonly configFile: string;
  /** What stands in the file, given the port to listen on. */
  readonly config: (port: number) => string;
  /** Given the folder that the file is in, and the port to listen on. */
  readonly args: (folder: string, port: number) => readonly string[];
}

/** Resolves when it accepts connections. */
export async function startProgram({
  name,
  debianPackage = name,
  configFile,
  config,
  args,
}: ProgramSpec): Promise<Program> {
  const folder = await mkdtemp(join(tmpdir(), `gauntlet-${name}-`));
  const port = await freePort();
  await writeFile(join(folder, configFile), config(port));

  // Debian keeps servers where only root's PATH looks.
  const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` };
  const child = spawn(name, args(folder, port), { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said: Buffer[] = [];
  for (const output of [child.stdout, child.stderr]) output.on('data', (bytes: Buffer) => said.push(bytes));
  /** Why it is not there; null while it is. */
  let fault: string | null = null;
  const ended = new Promise<void>((resolve) => {
    child.on('error', () => {
      fault = `The gauntlet needs ${name} in PATH. On Debian, as root: apt-get install -y ${debianPackage}`;
      resolve();
    });
    child.on('exit', (code, signal) => {
      fault = `${name} ended with ${code ?? signal}: ${Buffer.concat(said)}`;
      resolve();
    });
  });
  const kill = (): void => void child.kill();
  process.once('exit', kill);

  const stop = async (): Promise<void> => {
    process.off('exit', kill);
    kill();
    await ended;
    await rm(folder, { recursive: true });
  };
  const until = performance.now() + PATIENCE_MS;
  while (fault === null && !(await isListening(port))) {
    if (performance.now() > until) fault = `${name} accepts no connections: ${Buffer.concat(said)}`;
  }
  if (fault !== null) {
    await stop();
    throw new Error(fault);
  }
  return { port, stop };
}

let nextPort = PORT_MIN + (process.pid % PORT_COUNT);

async function freePort(): Promise<number> {
  for (;;) {
    const port = nextPort;
    nextPort = port + 1 < PORT_MIN + PORT_COUNT ? port + 1 : PORT_MIN;
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => setTimeout(() => resolve(false), LOOK_MS));
  });
}
