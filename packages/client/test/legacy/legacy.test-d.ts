// What an app for old browsers may write, and what does not compile. Checked by the compiler alone; nothing here runs.
import { createClient, type LegacyChannel, type LegacyClient, RunnelError } from '../../src/legacy/index.ts';
import type { AppContract } from '../app-contract.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Assert<Checks extends readonly true[]> = Checks;

const client = createClient<AppContract>('/realtime', { auth: () => 'token', transports: ['stream', 'poll'] });
const room = client.channel('room/:roomId', { roomId: 'lobby' }, { rewind: 50 });

export type Hovers = Assert<
  [
    Equal<typeof client, LegacyClient<AppContract>>,
    Equal<typeof room, LegacyChannel<AppContract, 'room/:roomId'>>,
    Equal<Extract<keyof typeof client | keyof typeof room, symbol>, never>,
  ]
>;

export async function used(): Promise<unknown> {
  const off: () => void = room.on('message', ({ text }, { self }) => [text, self]);
  room.observe().subscribe((message) => (message.event === 'typing' ? message.data.name : message.data.text));
  const { tokens }: { tokens: number } = await room.iterate('ask', { prompt: 'p' }).each((part: string) => part);
  const page = await room.history({ limit: 2 });
  const older = await page.next();
  const result = await room.request('edit', { id: '1' }).result();
  await room.presence.enter({ color: 'teal' });
  return [off, tokens, older, result.ok, RunnelError.is(1), client.state.status, client.diagnose().attempts];
}

export function refused(): void {
  // @ts-expect-error there are no iterators
  room.messages();
  // @ts-expect-error nor here
  room.iterate('ask', { prompt: 'p' })[Symbol.asyncIterator]();
  // @ts-expect-error nor here
  room.history()[Symbol.asyncIterator]();
  // @ts-expect-error it is told by callbacks only of requests that yield
  room.iterate('edit', { id: '1' });
  // @ts-expect-error a channel that is not in the contract
  client.channel('nowhere');
  // @ts-expect-error browsers take no headers
  createClient<AppContract>('/realtime', { headers: {} });
}
