import type { Position } from '@runnel/protocol';
import { createServer, type Member, type RunnelServer, type SessionInfo } from '../src/index.ts';
import { type AppContract, contract } from './app-contract.ts';
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

export const members: Promise<readonly Member<{ readonly color: string }>[]> = room.presence.members();
// @ts-expect-error TS2339: the channel has no presence
realtime.channel('ticker').presence.members();

// Identities have an id.
// @ts-expect-error TS2322: no id
createServer({ contract, authenticate: () => ({ name: 'Ann' }) });
// @ts-expect-error TS2739: not a contract
createServer({ contract: { room: {} }, authenticate: () => null });
