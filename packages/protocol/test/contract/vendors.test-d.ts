import type * as c from '../../src/contract/index.ts';
import type { Assert, Equal } from './equal.ts';
import type { arktypeContract, valibotContract, zodContract } from './vendor-contracts.ts';

/** All that is inferred for a channel. */
type Seen<C extends c.Contract<C>, K extends c.PatternOf<C>> = {
  broadcast: { [E in c.EventName<C, K>]: c.EventInput<C, K, E> };
  received: { [E in c.EventName<C, K>]: c.EventPayload<C, K, E> };
  published: { [N in Extract<c.PublishName<C, K>, string>]: c.PublishInput<C, K, N> };
  handled: { [N in Extract<c.PublishName<C, K>, string>]: c.PublishData<C, K, N> };
  answered: c.AnsweredName<C, K>;
  streamed: c.StreamedName<C, K>;
  asked: { [R in Extract<c.RequestName<C, K>, string>]: c.RequestInput<C, K, R> };
  replied: { [R in Extract<c.RequestName<C, K>, string>]: c.RequestReply<C, K, R> };
  answers: { [R in Extract<c.RequestName<C, K>, string>]: c.RequestOutput<C, K, R> };
  failures: { [R in Extract<c.RequestName<C, K>, string>]: c.RequestErrors<C, K, R> };
  part: c.RequestYields<C, K, 'ask'>;
  entered: c.PresenceInput<C, K>;
  vouched: c.PresenceVouched<C, K>;
  member: c.PresenceMember<C, K>;
  snapshot: c.SnapshotPayload<C, K>;
};

/** What it has to be. A Date is a Date where the server gives or gets it, and a string where a client does. */
type Expected<Draft> = {
  broadcast: {
    message: { id: string; at: string };
    typing: { name: string };
    quote: { symbol: string; price: unknown };
  };
  received: {
    message: { id: string; at: string };
    typing: { name: string };
    quote: { symbol: string; price: number };
  };
  published: { message: Draft; typing: { name: string } };
  handled: { message: { text: string; tone: string }; typing: { name: string } };
  answered: 'message';
  streamed: 'ask';
  asked: { order: { items: { price: number }[] }; ask: string };
  replied: { order: { at: Date }; ask: number };
  answers: { order: { at: string }; ask: number };
  failures: { order: { readonly code: 'sold'; readonly data: { to: string } }; ask: never };
  part: { token: string };
  entered: { color: string };
  vouched: { color: string; since: Date };
  member: { color: string; since: string };
  snapshot: { id: string }[];
};

type Room<C extends c.Contract<C>> = Seen<C, Extract<'room/:roomId', c.PatternOf<C>>>;
/** What an optional property is to zod and valibot, and what it is to arktype. */
type Loose = { text: string; tone?: string | undefined };
type Exact = { text: string; tone?: string };

export type SameContract = Assert<
  [
    Equal<Room<typeof zodContract>, Expected<Loose>>,
    Equal<Room<typeof valibotContract>, Expected<Loose>>,
    Equal<Room<typeof arktypeContract>, Expected<Exact>>,
  ]
>;

/** What cannot travel is a type that says so. */
type Ledger<C extends c.Contract<C>> = Seen<C, Extract<'ledger', c.PatternOf<C>>>['received'];
type NotSent = { total: { cents: c.Unsendable<'bigint'> }; owners: c.Unsendable<'Map'> };
export type SameRefusals = Assert<
  [
    Equal<Ledger<typeof zodContract>, NotSent>,
    Equal<Ledger<typeof valibotContract>, NotSent>,
    Equal<Ledger<typeof arktypeContract>, NotSent>,
  ]
>;
