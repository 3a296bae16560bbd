// What a component may write, and what does not compile. Checked by the compiler alone; nothing here runs.
import type { ClosingCode, RunnelError, SubscriptionState } from '@runnel/protocol';
import { createElement, type ReactElement } from 'react';
import { type Client, type ClientChannel, createClient, type EventMeta, type Member } from '../../src/index.ts';
import { type Connection, createHooks, type Hooks } from '../../src/react/index.ts';
import type { AppContract } from '../app-contract.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Assert<Checks extends readonly true[]> = Checks;

const hooks = createHooks<AppContract>();
const { RunnelProvider, useClient, useChannel, useEvent, useMessages, usePresence, useSnapshot } = hooks;
const { useSubscription, useConnection } = hooks;

type Room = ClientChannel<AppContract, 'room/:roomId'>;
type Ticker = ClientChannel<AppContract, 'ticker'>;

interface Other {
  readonly ticker: AppContract['ticker'];
}

export function provider(client: Client<AppContract>): ReactElement[] {
  return [
    createElement(RunnelProvider, { client }),
    createElement(RunnelProvider, { client }, 'child'),
    // @ts-expect-error the client is missing
    createElement(RunnelProvider, {}),
    // @ts-expect-error the client of another contract
    createElement(RunnelProvider, { client: createClient<Other>('/realtime') }),
  ];
}

export function Channels({ roomId }: { roomId: string | undefined }): void {
  const room = useChannel('room/:roomId', { roomId: 'lobby' }, { rewind: 50 });
  const ticker = useChannel('ticker', { since: { epoch: 'e', offset: 3 } });
  const perhaps = useChannel('room/:roomId', roomId === undefined ? null : { roomId }, { rewind: 50 });
  const later = useChannel('room/:roomId', roomId === undefined ? undefined : { roomId });
  const unknown = useChannel(roomId === undefined ? null : 'ticker');
  type Handles = Assert<
    [
      Equal<typeof room, Room>,
      Equal<typeof ticker, Ticker>,
      Equal<typeof perhaps, Room | null>,
      Equal<typeof later, Room | null>,
      Equal<typeof unknown, Ticker | null>,
      Equal<ReturnType<typeof useClient>, Client<AppContract>>,
      Equal<typeof hooks, Hooks<AppContract>>,
    ]
  >;
  const handles: Handles = [true, true, true, true, true, true, true];
  void handles;
  // @ts-expect-error no such pattern
  useChannel('rooms/:roomId', { roomId: 'lobby' });
  // @ts-expect-error the parameters are missing
  useChannel('room/:roomId');
  // @ts-expect-error no such parameter
  useChannel('room/:roomId', { room: 'lobby' });
  // @ts-expect-error a parameter is a string
  useChannel('room/:roomId', { roomId: 7 });
  // @ts-expect-error a parameter that may be undefined
  useChannel('room/:roomId', { roomId });
  // @ts-expect-error there are no parameters
  useChannel('ticker', { roomId: 'lobby' });
  // @ts-expect-error no such option
  useChannel('room/:roomId', null, { history: 5 });
}

export function Events({ room, ticker }: { room: Room | null; ticker: Ticker }): void {
  useEvent(room, 'message', (message, meta) => {
    type Heard = Assert<[Equal<typeof message, { text: string }>, Equal<typeof meta, EventMeta>]>;
    const heard: Heard = [true, true];
    return void heard;
  });
  useEvent(ticker, 'quote', ({ symbol, price }) => symbol.repeat(price));
  // @ts-expect-error no such event
  useEvent(room, 'mesage', () => {});
  // @ts-expect-error an event of another channel
  useEvent(ticker, 'message', () => {});
  // @ts-expect-error not what the event carries
  useEvent(room, 'message', (message: { title: string }) => message.title);
}

export function Messages({ room, ticker }: { room: Room; ticker: Ticker }): void {
  const all = useMessages(room, { limit: 10, history: 20 });
  const texts = useMessages(room, { events: ['message'] });
  for (const message of all) {
    if (message.event === 'message') message.data.text.trim();
    else message.data.name.trim();
  }
  for (const { data, meta } of texts) data.text.repeat(meta.offset ?? 0);
  useMessages(room, { initial: all });
  useMessages(null);
  // @ts-expect-error the list is not the component's to change
  all.push(...texts);
  // @ts-expect-error no such event
  useMessages(room, { events: ['mesage'] });
  // @ts-expect-error the channel keeps no history
  useMessages(ticker, { history: 5 });
  // @ts-expect-error not messages of this event
  useMessages(room, { events: ['message'], initial: all });
}

export function Present({ room, ticker }: { room: Room | null; ticker: Ticker }): void {
  const { members, error, enter, update, leave } = usePresence(room, { enter: { color: 'red' } });
  type Seen = Assert<
    [Equal<typeof members, readonly Member<{ color: string }>[]>, Equal<typeof error, RunnelError | null>]
  >;
  const seen: Seen = [true, true];
  usePresence(room);
  usePresence(room, { enter: null });
  void [seen, enter({ color: 'red' }), update({ color: 'blue' }), leave()];
  // @ts-expect-error not what one is present with
  usePresence(room, { enter: { colour: 'red' } });
  // @ts-expect-error not what one is present with
  enter({});
  // @ts-expect-error the channel has no presence
  usePresence(ticker);
}

export function State({ room, ticker }: { room: Room; ticker: Ticker | null }): void {
  const state = useSnapshot(ticker, {
    quote: ({ prices }, { price }, { offset }) => ({ prices: [...prices, price, offset ?? 0] }),
  });
  const still = useSnapshot(ticker);
  type States = Assert<
    [
      Equal<typeof state, { prices: readonly number[] } | undefined>,
      Equal<typeof still, { prices: readonly number[] } | undefined>,
    ]
  >;
  const states: States = [true, true];
  void states;
  // @ts-expect-error no such event
  useSnapshot(ticker, { quotes: (state) => state });
  // @ts-expect-error not what the state is
  useSnapshot(ticker, { quote: () => 7 });
  // @ts-expect-error the state is shared
  useSnapshot(ticker, { quote: (state, { price }) => void state.prices.push(price) });
  // @ts-expect-error the channel has no snapshot
  useSnapshot(room);
}

export function Connections({ room }: { room: Room | null }): void {
  const subscription = useSubscription(room);
  const connection = useConnection({ lostAfterMs: 500 });
  type Found = Assert<[Equal<typeof subscription, SubscriptionState>, Equal<typeof connection, Connection>]>;
  const found: Found = [true, true];
  void found;
  if (subscription.status === 'failed') subscription.code.trim();
  if (connection.status === 'open') connection.transport.trim();
  if (connection.status === 'lost') connection.retryAt.toFixed();
  if (connection.status === 'closed') {
    type Closed = Assert<[Equal<typeof connection.code, ClosingCode>]>;
    const closed: Closed = [true];
    void closed;
  }
  // @ts-expect-error it may be null
  connection.code.trim();
  // @ts-expect-error no such option
  useConnection({ lostAfter: 500 });
  // @ts-expect-error no such status
  if (connection.status === 'offline') return;
}
