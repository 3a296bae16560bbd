import type * as c from '../../src/contract/index.ts';
import type { AppContract, Channels } from './app-contract.ts';
import type { Assert, Equal } from './equal.ts';

type Room = 'room/:roomId';
type User = 'user/:userId';

/** The interface idiom. All types go through these two, so what holds for one form of a contract holds for the other. */
export type BothForms = Assert<
  [
    Equal<c.PatternOf<Channels>, c.PatternOf<AppContract>>,
    Equal<c.DefinitionOf<Channels, Room>, c.DefinitionOf<AppContract, Room>>,
    Equal<c.DefinitionOf<Channels, User>, c.DefinitionOf<AppContract, User>>,
    Equal<c.EventPayload<Channels, Room, 'message'>, c.EventPayload<AppContract, Room, 'message'>>,
  ]
>;

type C = AppContract;
type Inferred = [
  Equal<c.PatternOf<C>, Room | 'ticker' | User>,
  Equal<c.ParamsOf<Room>, { readonly roomId: string }>,
  // Events: the server broadcasts the schema's input, clients see the wire form of its output.
  Equal<c.EventName<C, Room>, 'message' | 'typing' | 'cursor'>,
  Equal<c.EventInput<C, Room, 'message'>, { id: string; text: string; at: unknown; tone?: string | undefined }>,
  Equal<c.EventPayload<C, Room, 'message'>, { id: string; text: string; at: string; tone: string }>,
  Equal<c.EventPayload<C, Room, 'typing'>, { name: string }>,
  Equal<c.EventPayload<C, 'ticker', 'quote'>, { symbol: string; price: number }>,
  Equal<
    c.EventMessage<C, User>,
    | { readonly event: 'notification'; readonly data: { title: string } }
    | { readonly event: 'seen'; readonly data: string }
  >,
  // Publishes: which are answered, sent or handled; clients give the input, handlers get the output.
  Equal<c.PublishName<C, Room>, 'message' | 'typing' | 'cursor'>,
  Equal<c.AnsweredName<C, Room>, 'message'>,
  Equal<c.VolatileName<C, Room>, 'typing' | 'cursor'>,
  Equal<c.HandledName<C, Room>, 'message' | 'cursor'>,
  Equal<c.PublishInput<C, Room, 'message'>, { text: string }>,
  Equal<c.PublishData<C, Room, 'message'>, { text: number }>,
  Equal<c.PublishInput<C, Room, 'typing'>, { name: string }>,
  Equal<c.AnsweredName<C, User>, 'seen'>,
  Equal<c.VolatileName<C, User>, c.Undeclared<'volatile publish'>>,
  Equal<c.HandledName<C, User>, c.Undeclared<'handled publish'>>,
  Equal<c.PublishName<C, 'ticker'>, c.Undeclared<'publish'>>,
  Equal<c.AnsweredName<C, 'ticker'>, c.Undeclared<'publish'>>,
  Equal<c.PublishInput<C, Room, 'mesage'>, c.Undeclared<'mesage'>>,
  // Requests.
  Equal<c.RequestName<C, Room>, 'edit' | 'ask' | 'leave'>,
  Equal<c.RequestName<C, 'ticker'>, c.Undeclared<'requests'>>,
  Equal<c.StreamedName<C, Room>, 'ask'>,
  Equal<c.StreamedName<C, User>, c.Undeclared<'yields'>>,
  Equal<c.RequestInput<C, Room, 'edit'>, { id: string; at: unknown }>,
  Equal<c.RequestData<C, Room, 'edit'>, { id: string; at: Date }>,
  Equal<c.RequestReply<C, Room, 'edit'>, { id: string; text: string; at: unknown; tone?: string | undefined }>,
  Equal<c.RequestOutput<C, Room, 'edit'>, { id: string; text: string; at: string; tone: string }>,
  Equal<c.RequestErrorName<C, Room, 'edit'>, 'locked' | 'gone'>,
  Equal<
    c.RequestErrors<C, Room, 'edit'>,
    | { readonly code: 'locked'; readonly data: { by: string; until: string } }
    | { readonly code: 'gone'; readonly data: null }
  >,
  Equal<c.RequestFailure<C, Room, 'edit', 'locked'>, { by: string; until: unknown }>,
  Equal<c.RequestErrorName<C, Room, 'ask'>, c.Undeclared<'errors'>>,
  Equal<c.RequestErrors<C, Room, 'ask'>, never>,
  Equal<c.RequestPart<C, Room, 'ask'>, { token: string; at: Date }>,
  Equal<c.RequestYields<C, Room, 'ask'>, { token: string; at: string }>,
  Equal<c.RequestYields<C, Room, 'edit'>, c.Undeclared<'yields'>>,
  Equal<c.RequestInput<C, Room, 'leave'>, undefined>,
  Equal<c.RequestData<C, Room, 'leave'>, undefined>,
  Equal<c.RequestReply<C, Room, 'leave'>, undefined>,
  Equal<c.RequestOutput<C, Room, 'leave'>, null>,
  // Presence, as one schema and as two, and snapshots.
  Equal<c.PresenceInput<C, Room>, { color?: string | undefined }>,
  Equal<c.PresenceData<C, Room>, { color: string }>,
  Equal<c.PresenceMember<C, Room>, { color: string }>,
  Equal<c.PresenceInput<C, User>, { device: string }>,
  Equal<c.PresenceVouched<C, User>, { device: string; name: string }>,
  Equal<c.PresenceMember<C, User>, { device: string; name: string }>,
  Equal<c.PresenceMember<C, 'ticker'>, c.Undeclared<'presence'>>,
  Equal<c.PresenceInput<C, 'ticker'>, c.Undeclared<'presence'>>,
  Equal<c.SnapshotInput<C, 'ticker'>, { symbol: string; price: number; at: Date }[]>,
  Equal<c.SnapshotPayload<C, 'ticker'>, { symbol: string; price: number; at: string }[]>,
  Equal<c.SnapshotPayload<C, Room>, c.Undeclared<'snapshot'>>,
];

export type AsDeclared = Assert<Inferred>;

// A pattern or event that is not there is a mistake where it is named.
// @ts-expect-error no such pattern
export type NoSuchPattern = c.EventName<AppContract, 'rooms/:roomId'>;
// @ts-expect-error no such event
export type NoSuchEvent = c.EventPayload<AppContract, Room, 'mesage'>;
// @ts-expect-error not a contract
export type NoContract = c.DefinitionOf<{ room: { events: object } }, 'room'>;
