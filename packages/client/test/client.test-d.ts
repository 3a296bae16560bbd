// What an app may write, and what does not compile. Checked by the compiler alone; nothing here runs.
import { from } from 'rxjs';
import {
  type Client,
  type ClientChannel,
  type ClosingCode,
  type Code,
  createClient,
  type EventMeta,
  type HistoryPage,
  type Member,
  type Occupancy,
  type Position,
  type RequestError,
  RunnelError,
  type Undeclared,
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

type RoomMessage = { readonly event: 'message'; readonly data: { text: string }; readonly meta: EventMeta };
type RoomTyping = { readonly event: 'typing'; readonly data: { name: string }; readonly meta: EventMeta };

export async function iteration(): Promise<void> {
  for await (const { event, data, meta } of room.messages({ bound: 10, overflow: 'drop-oldest' })) {
    const heard: string = event === 'message' ? data.text : data.name;
    void [heard, meta.offset];
  }
  for await (const message of room.messages('message', { signal: AbortSignal.timeout(1_000) })) {
    type Heard = Assert<[Equal<typeof message, RoomMessage>]>;
    const heard: Heard = [true];
    void heard;
  }
  const { dropped } = ticker.messages();
  // @ts-expect-error no such event
  room.messages('mesage');
  // @ts-expect-error no such policy
  room.messages({ overflow: 'drop-newest' });
  return void dropped;
}

export function observables(): void {
  const { unsubscribe } = room.observe('message').subscribe(({ data }) => data.text.trim());
  room.observe().subscribe({
    next: (message) => {
      type Heard = Assert<[Equal<typeof message, RoomMessage | RoomTyping>]>;
      const heard: Heard = [true];
      return void heard;
    },
    error: ({ code }) => code.trim(),
    complete: () => {},
  });
  from(room.observe('typing')).subscribe(({ data }) => data.name.trim());
  unsubscribe();
  // @ts-expect-error no such event
  ticker.observe('message');
}

export async function streams(): Promise<void> {
  const answer = room.iterate('ask', { prompt: 'why?' }, { ahead: 8, timeoutMs: 1_000 });
  for await (const part of answer) part.trim();
  const { tokens } = await answer.output;
  const done: IteratorResult<string, undefined> = await answer.next();
  // @ts-expect-error it is not streamed
  room.iterate('edit', { id: '1' });
  // @ts-expect-error it is streamed
  void room.request('ask', { prompt: 'why?' });
  // @ts-expect-error the input is missing
  room.iterate('ask');
  // @ts-expect-error no such option
  room.iterate('ask', { prompt: 'why?' }, { window: 8 });
  // @ts-expect-error nothing can be asked there
  ticker.iterate('ask', { prompt: 'why?' });
  return void [tokens.toFixed(), done];
}

export async function results(): Promise<string> {
  const edited = await room.request('edit', { id: '1' }).result();
  if (edited.ok) {
    // @ts-expect-error there is none
    edited.error;
    return edited.data.text;
  }
  // @ts-expect-error there is none
  edited.data;
  const { error } = edited;
  switch (error.code) {
    case 'locked':
      return error.data;
    case 'forbidden':
      // @ts-expect-error what Runnel's own codes carry is not declared
      return error.data;
    // @ts-expect-error it declares no such error, and it is none of Runnel's
    case 'refused':
      return '';
    default:
      return error.message;
  }
}

export type Errors = Assert<
  [
    Equal<RequestError<AppContract, 'room/:roomId', 'leave'>, RunnelError<Code>>,
    Equal<Extract<RequestError<AppContract, 'room/:roomId', 'ask'>, { code: 'refused' }>['data'], { why: string }>,
  ]
>;

export async function history(): Promise<void> {
  const page = await room.history({ limit: 10, before: 100, signal: AbortSignal.timeout(1_000) });
  const next: HistoryPage<RoomMessage | RoomTyping> | null = await page.next();
  for await (const { messages, head, complete } of room.history({ since: page.head })) {
    for (const message of messages) {
      type Kept = Assert<[Equal<typeof message, RoomMessage | RoomTyping>]>;
      const kept: Kept = [true];
      void kept;
    }
    const position: Position = head;
    void [position, complete === true];
  }
  // @ts-expect-error the channel keeps none
  void ticker.history();
  // @ts-expect-error no such option
  void room.history({ after: 3 });
  return void next;
}

export async function snapshots(): Promise<void> {
  ticker.onSnapshot(({ prices }, { position }) => [prices.at(0)?.toFixed(), position.offset]);
  const prices: readonly number[] | undefined = ticker.snapshot?.data.prices;
  const { data, position } = await ticker.readSnapshot({ timeoutMs: 1_000 });
  // @ts-expect-error the channel declares none
  room.onSnapshot(() => {});
  // @ts-expect-error the channel declares none
  void room.readSnapshot();
  const none: Undeclared<'snapshot'> | undefined = room.snapshot?.data;
  return void [prices, data.prices, position.epoch, none];
}

export function disposal(): void {
  const disposables: { [Symbol.dispose](): void; [Symbol.asyncDispose](): PromiseLike<void> }[] = [room, client];
  return void disposables;
}

export function presence(): void {
  void room.presence.enter({ color: 'red' });
  void room.presence.leave();
  const members: readonly Member<{ color: string }>[] = room.presence.members();
  room.presence.onChange((now, { joined, updated, left }) => {
    for (const { id, data, connected } of [...now, ...joined, ...updated, ...left]) void [id, data.color, connected];
  });
  void room.presence.update({ color: 'blue' });
  const occupancy: Promise<Occupancy> = room.presence.occupancy();
  // @ts-expect-error not what one shows
  void room.presence.update({ colour: 'red' });
  // @ts-expect-error not what one enters with
  void room.presence.enter({ colour: 'red' });
  // @ts-expect-error the channel has no presence
  void ticker.presence.enter({ color: 'red' });
  return void [members, occupancy];
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
    case 'reconnecting': {
      const after: [true, Code] = [state.willReconnect, state.code];
      return `${after}: ${state.reason}: attempt ${state.attempt} at ${state.retryAt}`;
    }
    case 'closed': {
      const [never, code]: [false, ClosingCode] = [state.willReconnect, state.code];
      // @ts-expect-error a client is not closed for this
      if (code === 'silent') return '';
      return `${never} ${code}: ${state.reason}`;
    }
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
      return state.code === 'forbidden'
        ? 'not for us'
        : `${state.code satisfies Code} ${state.message} ${state.retryAt}`;
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
