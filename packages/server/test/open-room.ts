import type { PatternHandlers } from '../src/channels/pattern-handlers.ts';
import { Harness, type HarnessOptions, type TestUser } from './harness.ts';

/** What `handle` takes, before the contract's types. */
export interface AnyHandlers {
  readonly authorize?: PatternHandlers<TestUser>['authorize'];
  readonly open?: boolean;
  readonly publish?: { readonly [name: string]: Handler };
  readonly requests?: { readonly [name: string]: Handler };
  readonly presence?: unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: contexts as handlers see them; their types have tests of their own
type Handler = (context: any) => unknown;

const publish: AnyHandlers['publish'] = {
  message: ({ data, channel }) => channel.broadcast('message', data),
  nudge: () => {},
};
const requests: AnyHandlers['requests'] = {
  edit: ({ data }) => ({ text: data.id }),
  count: () => 1,
  leave: () => {},
  late: ({ data }) => data,
};

/** A harness with every pattern of the contract handled: the room as `room` says, the others open. */
export function openRoom(room: AnyHandlers = {}, options: HarnessOptions = {}): Harness {
  const harness = new Harness(options);
  const { authorize, ...rest } = room;
  const access = authorize === undefined || authorize === null ? { open: true } : { authorize };
  harness.app.handlers.add('room/:roomId', {
    ...access,
    ...rest,
    publish: { ...publish, ...room.publish },
    requests: { ...requests, ...room.requests },
  });
  harness.app.handlers.add('log', { open: true });
  harness.app.handlers.add('ticker', { open: true });
  harness.app.handlers.add('user/:userId', {
    open: true,
    presence: ({ user, data }: { user: TestUser; data: { device: string } }) => ({
      name: `${user.id} on ${data.device}`,
    }),
  });
  return harness;
}
