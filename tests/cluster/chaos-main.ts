/** npm run chaos [-- --clients 300 --seconds 60 --lease 10000]: prints what became of each message while nodes die, go, and are cut off. */
import { parseArgs } from 'node:util';
import { type ChaosReport, runChaos, type Trouble } from './chaos.ts';

const EVERY_MS = 5_000;
const KINDS: readonly Trouble[] = ['kill', 'drain', 'cut'];

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '300' },
    seconds: { type: 'string', default: '60' },
    lease: { type: 'string', default: '10000' },
  },
});
const count = Math.max(1, Math.floor((Number(values.seconds) * 1_000) / EVERY_MS));
const report = await runChaos({
  clients: Number(values.clients),
  follows: 1,
  leaseMs: Number(values.lease),
  // A kind comes to each node in turn.
  troubles: Array.from({ length: count }, (_, i) => KINDS[(i + Math.floor(i / KINDS.length)) % KINDS.length] ?? 'kill'),
  everyMs: EVERY_MS,
  log: console.log,
});
print(report);

function print({
  messages,
  deliveries,
  lost,
  repeated,
  disordered,
  gaps,
  failed,
  unknown,
  recoveryMs,
}: ChaosReport): void {
  const at = (share: number): string => `${recoveryMs[Math.floor(share * (recoveryMs.length - 1))] ?? '–'} ms`;
  console.log(`${messages} messages, ${deliveries} deliveries`);
  console.log(
    `lost ${lost}, repeated ${repeated}, out of order ${disordered}, gaps ${gaps}, failed publishes ${failed}`,
  );
  console.log(`publishes of a node that was cut off, in the log or not: ${unknown}`);
  console.log(
    `from a kill until its clients receive again: median ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)}, of ${recoveryMs.length}`,
  );
  process.exitCode = lost + repeated + disordered + gaps + failed === 0 ? 0 : 1;
}
