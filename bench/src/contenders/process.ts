/** One contender's server as a process of its own. Usage: process.ts <name> <setup as JSON> */
import { writeHeapSnapshot } from 'node:v8';
import { serveParent } from '../child.ts';
import { channelOf } from '../layout.ts';
import type { ServerCommand, ServerReport } from '../messages.ts';
import { payloadOf, timedPayload } from '../payload.ts';
import type { ContenderName, Setup } from './contender.ts';
import { startNodes } from './nodes.ts';
import { startProfile } from './profiler.ts';
import { loadContender } from './roster.ts';

const [, , name = '', setup = ''] = process.argv;
const start = await loadContender(name as ContenderName);
const contender = await startNodes(name as ContenderName, start, JSON.parse(setup) as Setup);

type Command<Type> = Extract<ServerCommand, { readonly type: Type }>;

const report = serveParent<ServerCommand, ServerReport>((command): void => {
  switch (command.type) {
    case 'pump':
      return pump(command, 0);
    case 'flood':
      return flood(command);
    case 'profile':
      process.once('exit', startProfile(command.file));
      return;
    case 'snapshot':
      writeHeapSnapshot(command.file);
      return report({ type: 'written' });
    case 'memory':
      return remember();
  }
});

function pump(command: Command<'pump'>, turn: number): void {
  const { turns, perTurn, from, payloadBytes, channels } = command;
  for (let i = 0; i < perTurn; i += 1) {
    const n = from + turn * perTurn + i;
    contender.broadcast(channelOf(n, channels), payloadOf(n, payloadBytes));
  }
  if (turn + 1 < turns) setImmediate(pump, command, turn + 1);
}

function flood({ ms, everyMs, perTurn, from, payloadBytes, channels }: Command<'flood'>): void {
  const until = performance.now() + ms;
  let sent = 0;
  const send = (): void => {
    for (const end = sent + perTurn; sent < end; sent += 1) {
      const n = from + sent;
      contender.broadcast(channelOf(n, channels), timedPayload(n, payloadBytes));
    }
    if (performance.now() >= until) report({ type: 'flooded', sent });
    else if (everyMs === 0) setImmediate(send);
    else setTimeout(send, everyMs);
  };
  send();
}

function remember(): void {
  // Twice: what the first collection finalises goes with the second.
  globalThis.gc?.();
  globalThis.gc?.();
  report({ type: 'memory', heapBytes: process.memoryUsage().heapUsed });
}

const { port, version, pids = [process.pid], ports = [port], brokerPids = [] } = contender;
report({ type: 'listening', port, ports, version, pids, brokerPids });
