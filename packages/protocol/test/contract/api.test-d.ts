// A client and a server in outline, as generic code over any contract: what is asked of the contract's types is that such
// code compiles, that calls to it infer, and that mistakes in calls do not compile.
import type * as c from '../../src/contract/index.ts';
import type { AppContract, Channels } from './app-contract.ts';

interface SubscribeOptions {
  readonly rewind?: number;
}

type RequestResult<C extends c.Contract<C>, K extends c.PatternOf<C>, R> =
  | { readonly ok: true; readonly data: c.RequestOutput<C, K, R> }
  | { readonly ok: false; readonly error: c.RequestErrors<C, K, R> };

declare class ClientChannel<C extends c.Contract<C>, K extends c.PatternOf<C>> {
  on<E extends c.EventName<C, K>>(event: E, handler: (data: c.EventPayload<C, K, E>) => void): void;
  publish<N extends c.AnsweredName<C, K>>(name: N, data: c.PublishInput<C, K, N>): Promise<void>;
  send<N extends c.VolatileName<C, K>>(name: N, data: c.PublishInput<C, K, N>): void;
  request<R extends c.RequestName<C, K>>(name: R, input: c.RequestInput<C, K, R>): Promise<RequestResult<C, K, R>>;
  iterate<R extends c.StreamedName<C, K>>(
    name: R,
    input: c.RequestInput<C, K, R>,
  ): AsyncIterable<c.RequestYields<C, K, R>>;
  enter(data: c.PresenceInput<C, K>): void;
  members(): readonly c.PresenceMember<C, K>[];
  messages(): AsyncIterable<c.EventMessage<C, K>>;
}

declare class Client<C extends c.Contract<C>> {
  channel<K extends c.PatternOf<C>>(
    pattern: K,
    ...args: [...params: c.ParamsTuple<K>, options?: SubscribeOptions]
  ): ClientChannel<C, K>;
}

interface Handlers<C extends c.Contract<C>, K extends c.PatternOf<C>> {
  readonly publish: {
    readonly [N in Extract<c.HandledName<C, K>, string>]: (context: {
      readonly data: c.PublishData<C, K, N>;
      readonly broadcast: <E extends c.EventName<C, K>>(event: E, data: c.EventInput<C, K, E>) => void;
    }) => void;
  };
  readonly requests: {
    readonly [R in Extract<c.RequestName<C, K>, string>]: (context: {
      readonly data: c.RequestData<C, K, R>;
      readonly fail: <N extends c.RequestErrorName<C, K, R>>(name: N, data: c.RequestFailure<C, K, R, N>) => never;
    }) => R extends c.StreamedName<C, K>
      ? AsyncGenerator<c.RequestPart<C, K, R>, c.RequestReply<C, K, R>>
      : c.RequestReply<C, K, R> | Promise<c.RequestReply<C, K, R>>;
  };
  readonly presence?: (context: { readonly data: c.PresenceData<C, K> }) => c.PresenceVouched<C, K>;
}

declare class Server<C extends c.Contract<C>> {
  handle<K extends c.PatternOf<C>>(pattern: K, handlers: Handlers<C, K>): void;
}

declare function createServer<C extends c.Contract<C>>(options: { contract: C }): Server<C>;

export function callers(client: Client<AppContract>, other: Client<Channels>): unknown[] {
  const ticker = client.channel('ticker');
  const named: 'ticker' | 'room/:roomId' = 'room/:roomId';
  return [
    client.channel('ticker', { rewind: 1 }),
    client.channel('room/:roomId', { roomId: 'lobby' }, { rewind: 50 }),
    other.channel('room/:roomId', { roomId: 'lobby' }),
    client.channel(named, { roomId: 'lobby' }),
    ticker.on('quote', ({ symbol, price }) => [symbol.length, price.toFixed()]),
    // @ts-expect-error no such pattern
    client.channel('rooms/:roomId', { roomId: 'lobby' }),
    // @ts-expect-error the parameters are missing
    client.channel('room/:roomId'),
    // @ts-expect-error no such parameter
    client.channel('room/:roomId', { room: 'lobby' }),
    // @ts-expect-error nothing can be published there
    ticker.publish('quote', { symbol: 'A', price: 1 }),
    // @ts-expect-error there is no presence
    ticker.enter({ color: 'red' }),
  ];
}

export function users(room: ClientChannel<AppContract, 'room/:roomId'>): unknown[] {
  room.on('message', (message) => {
    message.at.startsWith('2');
    // @ts-expect-error a Date arrives as a string
    message.at.getTime();
  });
  // @ts-expect-error no such event
  room.on('mesage', () => {});
  // @ts-expect-error a relay of a volatile event has no answer
  room.publish('typing', { name: 'Ann' });
  // @ts-expect-error what has an answer is not sent
  room.send('message', { text: 'hi' });
  // @ts-expect-error a text is what goes in, though a number comes out
  room.publish('message', { text: 1 });
  // @ts-expect-error not streamed
  room.iterate('edit', { id: '1', at: '' });
  // @ts-expect-error an input is declared
  room.request('ask', undefined);
  return [
    room.publish('message', { text: 'hi' }),
    room.send('typing', { name: 'Ann' }),
    room.send('cursor', { x: 1 }),
    room.request('leave', undefined),
    room.enter({}),
    room.members().map(({ color }) => color.length),
  ];
}

export async function readers(room: ClientChannel<AppContract, 'room/:roomId'>): Promise<unknown> {
  for await (const { token, at } of room.iterate('ask', 'why?')) token.concat(at);
  for await (const message of room.messages()) if (message.event === 'typing') message.data.name.concat('');
  const result = await room.request('edit', { id: '1', at: '2020-01-01' });
  if (result.ok) return result.data.text;
  return result.error.code === 'locked' ? result.error.data.by.concat(result.error.data.until) : result.error.data;
}

export function handlers(contract: AppContract, channels: Channels): void {
  createServer({ contract: channels }).handle('user/:userId', {
    publish: {},
    requests: {},
    presence: ({ data }) => ({ ...data, name: 'Ann' }),
  });
  createServer({ contract }).handle('room/:roomId', {
    publish: {
      message: ({ data, broadcast }) => broadcast('message', { id: '1', at: new Date(0), text: data.text.toFixed() }),
      cursor: ({ data, broadcast }) => broadcast('cursor', { by: 'Ann', x: data.x }),
    },
    requests: {
      edit: ({ data, fail }) =>
        data.at.getTime() > 0 ? fail('locked', { by: 'Ann', until: new Date(0) }) : { ...data, text: '' },
      async *ask({ data }) {
        yield { token: data, at: new Date(0) };
        return 1;
      },
      leave: () => undefined,
    },
  });
  createServer({ contract }).handle('room/:roomId', {
    publish: {
      // @ts-expect-error no such event
      message: ({ broadcast }) => broadcast('said', { text: '' }),
      // @ts-expect-error what is broadcast is what the event declares
      cursor: ({ data, broadcast }) => broadcast('cursor', { by: 1, x: data.x }),
      // @ts-expect-error a relay has no handler
      typing: () => {},
    },
    requests: {
      // @ts-expect-error no such failure
      edit: ({ fail }) => fail('lockd', { by: 'Ann' }),
      // @ts-expect-error the output is a number
      async *ask() {
        yield { token: '', at: new Date(0) };
        return 'done';
      },
      leave: () => undefined,
    },
  });
}
