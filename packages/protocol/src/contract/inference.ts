// Types that client and server are written in. `C` is a contract, `K` one of its patterns; a further parameter is a name
// declared there: `E` of an event, `N` of a publish or failure, `R` of a request. `N` and `R` are not constrained, because
// generic code narrows them to other sets of names than the full one; an unknown name gives `Undeclared`. Who writes is
// given a schema's input, who reads its output, and what has crossed to a client is in wire form:
//
//                    writer                        reader
//   event            server  EventInput            client   EventPayload
//   publish          client  PublishInput          handler  PublishData
//   request          client  RequestInput          handler  RequestData
//   its answer       handler RequestReply          client   RequestOutput
//   its parts        handler RequestPart           client   RequestYields
//   its failures     handler RequestFailure        client   RequestErrors
//   presence         client  PresenceInput         handler  PresenceData
//   members          handler PresenceVouched       both     PresenceMember
//   snapshot         server  SnapshotInput         client   SnapshotPayload
import type { RelayedIn } from './channel.ts';
import type { Contract } from './contract.ts';
import type {
  DeclaredInput,
  DeclaredOutput,
  EntryOf,
  Failures,
  OrDefault,
  OrUndeclared,
  Part,
  PresencePart,
  PublishSchema,
  ReceivedOutput,
  SentInput,
  StreamedIn,
  VolatileIn,
} from './declared.ts';
import type { PatternParams } from './pattern.ts';

/** The patterns of a contract. By way of its values, because for `keyof C` the compiler would not list them in a message. */
export type PatternOf<C> = Extract<{ [K in keyof C]: K }[keyof C], string>;

/** The parameters of a pattern: `{ roomId: string }` for `room/:roomId`. */
export type ParamsOf<P extends string> = PatternParams<P>;

/** What `channel()` was given for a pattern. */
export type DefinitionOf<C extends Contract<C>, K extends PatternOf<C>> = C[K]['definition'];

/** The declared events of a channel, by name. */
export type EventsOf<C extends Contract<C>, K extends PatternOf<C>> = DefinitionOf<C, K>['events'];

/** The names of a channel's events. */
export type EventName<C extends Contract<C>, K extends PatternOf<C>> = Extract<keyof EventsOf<C, K>, string>;

/** What a subscriber gets with an event: the wire form of the schema's output. */
export type EventPayload<C extends Contract<C>, K extends PatternOf<C>, E extends EventName<C, K>> = ReceivedOutput<
  EventsOf<C, K>[E]
>;

/** What the server broadcasts as an event: the schema's input. */
export type EventInput<C extends Contract<C>, K extends PatternOf<C>, E extends EventName<C, K>> = DeclaredInput<
  EventsOf<C, K>[E]
>;

/** One message of any event of a channel, told apart by `event`. */
export type EventMessage<C extends Contract<C>, K extends PatternOf<C>> = {
  [E in EventName<C, K>]: { readonly event: E; readonly data: EventPayload<C, K, E> };
}[EventName<C, K>];

/** The declared publishes of a channel, by name. */
export type PublishesOf<C extends Contract<C>, K extends PatternOf<C>> = Part<DefinitionOf<C, K>, 'publish'>;

/** All that clients may send: relayed and handled, answered and volatile. */
export type PublishName<C extends Contract<C>, K extends PatternOf<C>> = OrUndeclared<
  keyof PublishesOf<C, K>,
  'publish'
>;

/** What clients `publish()`, with an answer: plain schemas, and relays of events that are not volatile. */
export type AnsweredName<C extends Contract<C>, K extends PatternOf<C>> = OrUndeclared<
  Exclude<keyof PublishesOf<C, K>, VolatileIn<PublishesOf<C, K>, EventsOf<C, K>>>,
  'publish'
>;

/** What clients `send()`, without an answer: `volatile(schema)`, and relays of volatile events. */
export type VolatileName<C extends Contract<C>, K extends PatternOf<C>> = OrUndeclared<
  Extract<keyof PublishesOf<C, K>, VolatileIn<PublishesOf<C, K>, EventsOf<C, K>>>,
  'volatile publish'
>;

/** What the server has to handle: all of `publish` but the relays. */
export type HandledName<C extends Contract<C>, K extends PatternOf<C>> = OrUndeclared<
  Exclude<keyof PublishesOf<C, K>, RelayedIn<PublishesOf<C, K>>>,
  'handled publish'
>;

/** What a client publishes or sends: the schema's input; for a relay, that of the event. */
export type PublishInput<C extends Contract<C>, K extends PatternOf<C>, N> = SentInput<
  PublishSchema<PublishesOf<C, K>, EventsOf<C, K>, N>
>;

/** What the handler of a publish gets: the schema's output. */
export type PublishData<C extends Contract<C>, K extends PatternOf<C>, N> = DeclaredOutput<
  PublishSchema<PublishesOf<C, K>, EventsOf<C, K>, N>
>;

/** The declared requests of a channel, by name. */
export type RequestsOf<C extends Contract<C>, K extends PatternOf<C>> = Part<DefinitionOf<C, K>, 'requests'>;

/** The names of a channel's requests. */
export type RequestName<C extends Contract<C>, K extends PatternOf<C>> = OrUndeclared<
  keyof RequestsOf<C, K>,
  'requests'
>;

/** The requests whose answer is streamed: those that declare `yields`. */
export type StreamedName<C extends Contract<C>, K extends PatternOf<C>> = OrUndeclared<
  Extract<keyof RequestsOf<C, K>, StreamedIn<RequestsOf<C, K>>>,
  'yields'
>;

/** What a client asks with: the input of `input`; `undefined` where that is not declared. */
export type RequestInput<C extends Contract<C>, K extends PatternOf<C>, R> = OrDefault<
  SentInput<Part<EntryOf<RequestsOf<C, K>, R>, 'input'>>,
  undefined
>;

/** What the handler of a request gets: the output of `input`; `undefined` where that is not declared. */
export type RequestData<C extends Contract<C>, K extends PatternOf<C>, R> = OrDefault<
  DeclaredOutput<Part<EntryOf<RequestsOf<C, K>, R>, 'input'>>,
  undefined
>;

/** What the handler of a request returns: the input of `output`; `undefined` where that is not declared. */
export type RequestReply<C extends Contract<C>, K extends PatternOf<C>, R> = OrDefault<
  DeclaredInput<Part<EntryOf<RequestsOf<C, K>, R>, 'output'>>,
  undefined
>;

/** What the client gets as the answer: the wire form of the output of `output`; `null` where that is not declared. */
export type RequestOutput<C extends Contract<C>, K extends PatternOf<C>, R> = OrDefault<
  ReceivedOutput<Part<EntryOf<RequestsOf<C, K>, R>, 'output'>>,
  null
>;

/** What the handler of a streamed request yields: the input of `yields`. */
export type RequestPart<C extends Contract<C>, K extends PatternOf<C>, R> = DeclaredInput<
  Part<EntryOf<RequestsOf<C, K>, R>, 'yields'>
>;

/** What the client iterates over: the wire form of the output of `yields`. */
export type RequestYields<C extends Contract<C>, K extends PatternOf<C>, R> = ReceivedOutput<
  Part<EntryOf<RequestsOf<C, K>, R>, 'yields'>
>;

/** The names of a request's declared failures. */
export type RequestErrorName<C extends Contract<C>, K extends PatternOf<C>, R> = OrUndeclared<
  keyof Part<EntryOf<RequestsOf<C, K>, R>, 'errors'>,
  'errors'
>;

/** The declared failures of a request as the client gets them, told apart by `code`; `never` where there are none. */
export type RequestErrors<C extends Contract<C>, K extends PatternOf<C>, R> = Failures<
  Part<EntryOf<RequestsOf<C, K>, R>, 'errors'>
>;

/** What the handler of a request fails with: the input of that failure's schema. */
export type RequestFailure<C extends Contract<C>, K extends PatternOf<C>, R, N> = DeclaredInput<
  EntryOf<Part<EntryOf<RequestsOf<C, K>, R>, 'errors'>, N>
>;

/** What a client enters with: the schema's input. */
export type PresenceInput<C extends Contract<C>, K extends PatternOf<C>> = SentInput<
  PresencePart<DefinitionOf<C, K>, 'input'>
>;

/** What the server's presence handler gets: the output of what the client entered with. */
export type PresenceData<C extends Contract<C>, K extends PatternOf<C>> = DeclaredOutput<
  PresencePart<DefinitionOf<C, K>, 'input'>
>;

/** What the server's presence handler returns, and so vouches for: the input of the member's schema. */
export type PresenceVouched<C extends Contract<C>, K extends PatternOf<C>> = DeclaredInput<
  PresencePart<DefinitionOf<C, K>, 'member'>
>;

/** A member's data as everyone sees it: the wire form of the member's schema's output. */
export type PresenceMember<C extends Contract<C>, K extends PatternOf<C>> = ReceivedOutput<
  PresencePart<DefinitionOf<C, K>, 'member'>
>;

/** What the server gives as a snapshot: the schema's input. */
export type SnapshotInput<C extends Contract<C>, K extends PatternOf<C>> = DeclaredInput<
  Part<DefinitionOf<C, K>, 'snapshot'>
>;

/** The snapshot that a subscriber starts from: the wire form of the schema's output. */
export type SnapshotPayload<C extends Contract<C>, K extends PatternOf<C>> = ReceivedOutput<
  Part<DefinitionOf<C, K>, 'snapshot'>
>;
