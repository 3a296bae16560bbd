import type { Position } from '@runnel/protocol';
import { createServer, type Member, type RunnelServer, type ServerChannel, type SessionInfo } from '../src/index.ts';
import { type AppContract, contract } from './app-contract.ts';
import { type BoardContract, boardContract } from './board-contract.ts';
import type { Assert, Equal } from './equal.ts';

interface User {
  readonly id: string;
  readonly name: string;
}
declare function verify(token: unknown): Promise<User | null>;

const realtime = createServer({ contract, authenticate: ({ auth }) => verify(auth) });
export type Inferred = Assert<[Equal<typeof realtime, RunnelServer<AppContract, User>>]>;

// What handlers are given.
realtime.handle('room/:roomId', {
  authorize: ({ user, params, action, event, session }) => {
    type Checks = Assert<
      [
        Equal<typeof user, User>,
        Equal<typeof params, { readonly roomId: string }>,
        Equal<typeof action, 'subscribe' | 'publish' | 'request' | 'presence'>,
        Equal<typeof event, string | undefined>,
        Equal<typeof session, SessionInfo<User>>,
      ]
    >;
    return (user.name !== '') satisfies Checks extends true[] ? boolean : never;
  },
  publish: {
    message: async ({ data, user, params, channel, session, signal, idempotencyKey }) => {
      type Checks = Assert<
        [
          Equal<typeof data, { readonly text: string }>,
          Equal<typeof user, User>,
          Equal<typeof params, { readonly roomId: string }>,
          Equal<typeof session, SessionInfo<User>>,
          Equal<typeof signal, AbortSignal>,
          Equal<typeof idempotencyKey, string | undefined>,
        ]
      >;
      const position: Position | null = await channel.broadcast('message', data);
      // @ts-expect-error TS2345: no such event
      await channel.broadcast('mesage', data);
      // @ts-expect-error TS2561: not what the event carries
      await channel.broadcast('message', { txt: 'x' });
      return position satisfies Checks extends true[] ? unknown : never;
    },
    nudge: ({ data }) => data satisfies string,
  },
  requests: {
    edit: ({ data, fail }) => {
      if (data.id === '') fail('locked', { by: 'Ann' });
      // @ts-expect-error TS2345: no such failure
      if (data.id === '1') fail('gone', { by: 'Ann' });
      // @ts-expect-error TS2353: not what the failure carries
      if (data.id === '2') fail('locked', { who: 'Ann' });
      return { text: data.id };
    },
    count: async ({ data }) => {
      const nothing: undefined = data;
      return nothing ?? 1;
    },
    leave: () => {},
    late: ({ data }) => data,
  },
  presence: ({ user, data }) => ({ color: `${data.color} ${user.name}` }),
});

// Presence is optional where one schema is both, and needed where members are made of what is entered.
realtime.handle('user/:userId', {
  open: true,
  presence: ({ data, user }) => ({ name: `${user.name} on ${data.device}` }),
});
// @ts-expect-error TS2345: the presence handler is missing
realtime.handle('user/:userId', { open: true });
// @ts-expect-error TS2322: not a member
realtime.handle('user/:userId', { open: true, presence: ({ data }) => data });

// Nothing is open by default, and nothing is both.
realtime.handle('ticker', { open: true });
realtime.handle('ticker', { authorize: ({ user }) => user.name === 'Ann' });
// @ts-expect-error TS2345: neither authorize nor open
realtime.handle('ticker', {});
// @ts-expect-error TS2322: not open
realtime.handle('ticker', { open: false });
// @ts-expect-error TS2345: open and guarded
realtime.handle('ticker', { open: true, authorize: () => true });
// @ts-expect-error TS2322: not a yes or no
realtime.handle('ticker', { authorize: () => 'yes' });

// What is not declared has no handler.
// @ts-expect-error TS2345: no such pattern
realtime.handle('tickers', { open: true });
// @ts-expect-error TS2322: the channel has no publish
realtime.handle('ticker', { open: true, publish: {} });
// @ts-expect-error TS2322: the channel has no requests
realtime.handle('ticker', { open: true, requests: {} });
// @ts-expect-error TS2322: the channel has no presence
realtime.handle('ticker', { open: true, presence: () => ({}) });
// @ts-expect-error TS2561: no such option
realtime.handle('ticker', { open: true, publsh: {} });

const publish = { message: () => {}, nudge: () => {} };
const requests = { edit: () => ({ text: '' }), count: () => 1, leave: () => {}, late: () => '' };
realtime.handle('room/:roomId', { open: true, publish, requests });
// @ts-expect-error TS2345: the requests are missing
realtime.handle('room/:roomId', { open: true, publish });
// @ts-expect-error TS2739: three requests are missing
realtime.handle('room/:roomId', { open: true, publish, requests: { edit: requests.edit } });
// @ts-expect-error TS2353: a relay has no handler
realtime.handle('room/:roomId', { open: true, requests, publish: { ...publish, note: () => {}, typing: () => {} } });
// @ts-expect-error TS2322: not what the request answers
realtime.handle('room/:roomId', { open: true, publish, requests: { ...requests, count: () => 'many' } });

// Channels from anywhere.
const room = realtime.channel('room/:roomId', { roomId: 'lobby' });
export const calls: Promise<Position | null>[] = [
  room.broadcast('message', { text: 'x' }),
  room.broadcast('typing', { name: 'x' }),
  realtime.channel('ticker').broadcast('quote', 1),
  // @ts-expect-error TS2345: not what the event carries
  realtime.channel('ticker').broadcast('quote', '1'),
  // @ts-expect-error TS2345: no such event
  realtime.channel('ticker').broadcast('message', 1),
];
// @ts-expect-error TS2554: the parameters are missing
realtime.channel('room/:roomId');
// @ts-expect-error TS2353: no such parameter
realtime.channel('room/:roomId', { room: 'lobby' });
// @ts-expect-error TS2554: the channel has no parameters
realtime.channel('ticker', {});
// @ts-expect-error TS2345: no such pattern
realtime.channel('rooms/:roomId', { roomId: 'lobby' });

// Hooks of the server may be asynchronous.
createServer({
  contract,
  authenticate: ({ auth }) => verify(auth),
  onSession: async ({ user, channels }) => [user.name, channels satisfies readonly string[]],
  onSessionEnd: async ({ user }, code) => [user.name, code satisfies string],
});

export const members: Promise<readonly Member<{ readonly color: string }>[]> = room.presence.members();
// @ts-expect-error TS2339: the channel has no presence
realtime.channel('ticker').presence.members();

// Identities have an id.
// @ts-expect-error TS2322: no id
createServer({ contract, authenticate: () => ({ name: 'Ann' }) });
// @ts-expect-error TS2739: not a contract
createServer({ contract: { room: {} }, authenticate: () => null });

// Streamed requests: parts are yielded, the output is returned.
const boards = createServer({ contract: boardContract, authenticate: ({ auth }) => verify(auth) });
const single = { find: () => '', move: () => {} };
const tail = async function* () {};
const snapshot = () => new Date();
declare const tokens: AsyncIterable<{ readonly token: string }>;
declare const dates: ReadonlySet<Date>;

boards.handle('board/:boardId', {
  open: true,
  requests: {
    ...single,
    ask: async function* ({ data, user, params, channel, signal, fail }) {
      type Checks = Assert<
        [
          Equal<typeof data, string>,
          Equal<typeof user, User>,
          Equal<typeof params, { readonly boardId: string }>,
          Equal<typeof channel, ServerChannel<BoardContract, 'board/:boardId'>>,
          Equal<typeof signal, AbortSignal>,
        ]
      >;
      if (data === '') fail('full', { by: 'Ann' });
      // @ts-expect-error TS2345: no such failure
      if (data === '1') fail('empty', { by: 'Ann' });
      yield { token: data };
      yield* tokens;
      return 1 satisfies Checks extends true[] ? number : never;
    },
    // Parts are given as the schema takes them, and there is no output to return.
    tail: async function* () {
      yield new Date();
    },
  },
  snapshot: async ({ user, params, channel, session, signal }) => {
    type Checks = Assert<
      [
        Equal<typeof user, User>,
        Equal<typeof params, { readonly boardId: string }>,
        Equal<typeof channel, ServerChannel<BoardContract, 'board/:boardId'>>,
        Equal<typeof session, SessionInfo<User>>,
        Equal<typeof signal, AbortSignal>,
      ]
    >;
    return new Date() satisfies Checks extends true[] ? Date : never;
  },
  onSubscribe: ({ user, params, channel, session }) => {
    session.kick(user.name satisfies string);
    return channel.broadcast('moved', params.boardId.length);
  },
  onLeave: ({ reason, user }) => [reason satisfies string, user.id],
});

// Anything that can be iterated over is a stream: at once or later, asynchronously or not.
const ask = async function* () {
  yield { token: '' };
  return 1;
};
boards.handle('board/:boardId', { open: true, snapshot, requests: { ...single, ask: () => tokens, tail } });
boards.handle('board/:boardId', { open: true, snapshot, requests: { ...single, ask, tail: async () => [new Date()] } });
boards.handle('board/:boardId', { open: true, snapshot, requests: { ...single, ask, tail: () => dates } });
// @ts-expect-error TS2322: not what is yielded
boards.handle('board/:boardId', { open: true, snapshot, requests: { ...single, ask, tail: async () => [1] } });
boards.handle('board/:boardId', {
  open: true,
  snapshot,
  requests: {
    ...single,
    tail,
    // @ts-expect-error TS2322: not the output
    ask: async function* () {
      yield { token: '' };
      return 'one';
    },
  },
});
// @ts-expect-error TS2322: a streamed answer cannot be given in one piece
boards.handle('board/:boardId', { open: true, snapshot, requests: { ...single, tail, ask: () => 1 } });
// @ts-expect-error TS2322: what is not streamed is no generator
boards.handle('board/:boardId', { open: true, snapshot, requests: { ...single, tail, ask, find: ask } });
// @ts-expect-error TS2741: a request is missing
boards.handle('board/:boardId', { open: true, snapshot, requests: { ...single, tail } });

// A snapshot has its handler exactly where it is declared; hooks may be anywhere.
const streams = { ...single, ask, tail };
// @ts-expect-error TS2345: the snapshot handler is missing
boards.handle('board/:boardId', { open: true, requests: streams });
// @ts-expect-error TS2322: not the schema's input
boards.handle('board/:boardId', { open: true, requests: streams, snapshot: () => 1 });
// @ts-expect-error TS2322: the channel has no snapshot
realtime.handle('ticker', { open: true, snapshot });
realtime.handle('ticker', { open: true, onSubscribe: () => {}, onLeave: () => {} });
// @ts-expect-error TS2322: not a function
realtime.handle('ticker', { open: true, onLeave: true });
