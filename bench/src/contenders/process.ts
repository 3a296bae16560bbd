/** One contender's server as a process of its own. Usage: process.ts <name> */
import { serveParent } from '../child.ts';
import type { ServerCommand, ServerReport } from '../messages.ts';
import { payloadOf } from '../payload.ts';
import { startProfile } from './profiler.ts';
import { isContenderName, loadContender } from './roster.ts';

const [, , name = ''] = process.argv;
if (!isContenderName(name)) throw new Error(`No contender ${name}`);
const start = await loadContender(name);
const contender = await start();

const report = serveParent<ServerCommand, ServerReport>((command) => {
  if (command.type === 'broadcast') {
    const { from, count, payloadBytes } = command;
    contender.broadcast(Array.from({ length: count }, (_, i) => payloadOf(from + i, payloadBytes)));
  } else if (command.type === 'profile') {
    process.once('exit', startProfile(command.file));
  } else if (command.type === 'memory') {
    // Twice: what the first collection finalises goes with the second.
    globalThis.gc?.();
    globalThis.gc?.();
    const { heapUsed, rss } = process.memoryUsage();
    report({ type: 'memory', heapBytes: heapUsed, rssBytes: rss });
  }
});

report({ type: 'listening', port: contender.port, version: contender.version });
