// What an app may write, and what does not compile. Checked by the compiler alone; nothing here runs.
import {
  type Client,
  type ClientChannel,
  createClient,
  type EventMeta,
  type Member,
  RunnelError,
} from '../src/index.ts';
import type { AppContract, contract } from './app-contract.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Assert<Checks extends readonly true[]> = Checks;

const client = createClient<AppContract>('/realtime', {
  auth: () => Promise.resolve('token'),
  transports: ['stream', 'poll'],
});
const room = client.channel('room/:roomId', { roomId: 'lobby' }, { rewind: 50 });
const ticker = client.channel('ticker', { since: { epoch: 'e', offset: 3 } });

export type Hovers = Assert<
  [
    Equal<typeof client, Client<AppContract>>,
    Equal<typeof room, ClientChannel<AppContract, 'room/:roomId'>>,
    Equal<typeof ticker, ClientChannel<AppContract, 'ticker'>>,
  ]
>;

export function channels(): unknown[] {
  return [
    client.channel('ticker'),
    client.channel('room/:roomId', { roomId: 'lobby' }),
    // @ts-expect-error no such pattern
    client.channel('rooms/:roomId', { roomId: 'lobby' }),
    // @ts-expect-error the parameters are missing
    client.channel('room/:roomId'),
    // @ts-expect-error no such parameter
    client.channel('room/:roomId', { room: 'lobby' }),
    // @ts-expect-error a parameter is a string
    client.channel('room/:roomId', { roomId: 7 }),
    // @ts-expect-error there are no parameters
    client.channel('ticker', { roomId: 'lobby' }),
    // @ts-expect-error no such option
    client.channel('room/:roomId', { roomId: 'lobby' }, { history: 5 }),
    // @ts-expect-error no such transport
    createClient<AppContract>('/realtime', { transports: ['smoke'] }),
    // @ts-expect-error no such transport
    client.use('smoke'),
  ];
}

export function events(): void {
  const off: () => void = room.on('message', (message, meta) => {
    type Heard = Assert<[Equal<typeof message, { text: string }>, Equal<typeof meta, EventMeta>]>;
    const heard: Heard = [true, true];
    return void heard;
  });
  off();
  room.once('typing', ({ name }) => name.toUpperCase());
  ticker.on('quote', ({ symbol, price }) => symbol.repeat(price));
  const handler = (message: { text: string }) => message.text;
  room.on('message', handler);
  room.off('message', handler);
  room.off('message');
  // @ts-expect-error no such event
  room.on('mesage', () => {});
  // @ts-expect-error not what the event carries
  room.on('message', (message: { title: string }) => message.title);
  room.on('message', (message) => {
    // @ts-expect-error no such property
    message.title;
  });
  // @ts-expect-error no such event
  ticker.off('message');
}

export async function calls(): Promise<void> {
  const published = room.publish('message', { text: 'hi' }, { timeoutMs: 1_000 });
  room.send('typing', { name: 'Ann' });
  const edited = await room.request('edit', { id: '1' }, { signal: new AbortController().signal });
  const left = await room.request('leave');
  await room.request('leave', undefined, { timeoutMs: 1_000 });
  // @ts-expect-error no such publish
  await room.publish('mesage', { text: 'hi' });
  // @ts-expect-error not what it takes
  await room.publish('message', { txt: 'hi' });
  // @ts-expect-error what may be lost is sent
  await room.publish('typing', { name: 'Ann' });
  // @ts-expect-error what has an answer is published
  room.send('message', { text: 'hi' });
  // @ts-expect-error nothing can be published there
  await ticker.publish('quote', { symbol: 'A', price: 1 });
  // @ts-expect-error nothing can be sent there
  ticker.send('quote', { symbol: 'A', price: 1 });
  // @ts-expect-error no such request
  await room.request('delete', { id: '1' });
  // @ts-expect-error nothing can be asked there
  await ticker.request('edit', { id: '1' });
  // @ts-expect-error the input is missing
  await room.request('edit');
  // @ts-expect-error not what it takes
  await room.request('edit', { id: 1 });
  // @ts-expect-error it takes nothing
  await room.request('leave', { id: '1' });
  const answers: [Promise<void>, { text: string }, null] = [published, edited, left];
  return void answers;
}

export function presence(): void {
  void room.presence.enter({ color: 'red' });
  void room.presence.leave();
  const members: readonly Member<{ color: string }>[] = room.presence.members();
  room.presence.onChange((now) => now.map(({ id, data, connected }) => [id, data.color, connected]));
  // @ts-expect-error not what one enters with
  void room.presence.enter({ colour: 'red' });
  // @ts-expect-error the channel has no presence
  void ticker.presence.enter({ color: 'red' });
  return void members;
}

export function states(): string {
  const { state } = client;
  switch (state.status) {
    case 'idle':
      return 'not asked for';
    case 'connecting':
      return `attempt ${state.attempt}`;
    case 'open':
      return state.transport;
    case 'reconnecting':
      return `${state.reason}: attempt ${state.attempt} at ${state.retryAt}`;
    case 'closed':
      return `${state.code}: ${state.reason}`;
  }
}

export function subscriptions(): string {
  const { state } = room;
  switch (state.status) {
    case 'idle':
    case 'subscribing':
      return state.status;
    case 'subscribed':
      return String(state.recovered);
    case 'failed':
      return `${state.code} ${state.message} ${state.retryAt}`;
  }
}

export function errors(error: unknown): string {
  return RunnelError.is(error) ? error.code : 'not ours';
}

/** A contract without the interface: hovers are longer, the types the same. */
export function plain(other: Client<typeof contract>): void {
  other.channel('room/:roomId', { roomId: 'lobby' }).on('message', ({ text }) => text.trim());
}

/** Code over any contract can take a handle. */
export function watch(handle: ClientChannel<AppContract, 'room/:roomId' | 'ticker'>): string {
  return handle.name;
}
