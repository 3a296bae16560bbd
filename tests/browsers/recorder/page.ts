/** The recorder's page: takes numbers, sends numbers, and keeps a record of them, of its sessions and of its own life. */
import { createClient, type Transport } from '@runnel/client';
import type { Contract } from './contract.ts';
import type { Record } from './record.ts';

const tab = new URL(location.href).searchParams.get('tab') ?? '';
const client = createClient<Contract>('/realtime', tab === 'auto' ? {} : { transports: [tab as Transport] });

let subscribed = false;
const sessions: string[] = [];
const life: string[] = [];
const numbers: number[] = [];
const unanswered = new Set<number>();
let timerTurns = 0;
let said = 0;

/** A session that takes the place of a lost one need not change the state. */
function noteSession(): void {
  const { client: name } = client.diagnose();
  if (name !== null && sessions.at(-1) !== name) sessions.push(name);
}
client.onState(noteSession);
const channel = client.channel('numbers');
channel.on('tick', ({ n }) => numbers.push(n));
void channel.ready().then(() => {
  subscribed = true;
});

function say(count: number): void {
  for (let i = 0; i < count; i += 1) {
    const n = said;
    said += 1;
    unanswered.add(n);
    channel.publish('tick', { n, tab }).then(
      () => unanswered.delete(n),
      (error: unknown) => life.push(String(error)),
    );
  }
}

for (const event of ['pageshow', 'pagehide'] as const) {
  addEventListener(event, ({ persisted }) => life.push(persisted ? `${event} persisted` : event));
}
for (const event of ['freeze', 'resume']) document.addEventListener(event, () => life.push(event));
document.addEventListener('visibilitychange', () => life.push(document.visibilityState));
addEventListener('error', ({ message }) => life.push(`error: ${message}`));
addEventListener('unhandledrejection', ({ reason }) => life.push(`rejection: ${reason}`));
setInterval(() => {
  timerTurns += 1;
}, 100);

const record = (): Record => {
  noteSession();
  const { state, attempts } = client.diagnose();
  const transport = state.status === 'open' ? state.transport : null;
  const status = state.status;
  return { subscribed, status, transport, attempts, numbers, unanswered: [...unanswered], sessions, life, timerTurns };
};

Object.assign(globalThis, { recorder: { record, say } });
