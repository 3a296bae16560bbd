// What `handle(pattern, …)` takes, as types. `C` is the contract, `K` the pattern, `I` what `authenticate` returns. Each part is there
// exactly if the contract declares it, so a handler that is missing, or that handles nothing, does not compile.
import type {
  Contract,
  DefinitionOf,
  HandledName,
  Identity,
  ParamsOf,
  PatternOf,
  PresenceData,
  PresenceVouched,
  PublishData,
  RequestData,
  RequestErrorName,
  RequestFailure,
  RequestName,
  RequestPart,
  RequestReply,
  SnapshotInput,
  StandardSchema,
  StreamedName,
  Undeclared,
} from '@runnel/protocol';
import type { AuthorizeRequest, SessionInfo } from './access.ts';
import type { ServerChannel } from './server-channel.ts';

/** What every handler is given. */
export interface HandlerContext<C extends Contract<C>, K extends PatternOf<C>, I extends Identity> {
  /** What `authenticate` returned for the session, at its last attach or refresh. */
  readonly user: I;
  readonly params: ParamsOf<K>;
  readonly channel: ServerChannel<C, K>;
  readonly session: SessionInfo<I>;
}

/** What the handler of a publish is given. */
export interface PublishContext<C extends Contract<C>, K extends PatternOf<C>, N, I extends Identity>
  extends HandlerContext<C, K, I> {
  /** The schema's output. */
  readonly data: PublishData<C, K, N>;
  /** Aborts when the client cancels or the handler takes too long. A lost session does not abort it: the client sends the publish again. */
  readonly signal: AbortSignal;
  /**
   * The client's key, the same when the publish is sent again: a handler whose node died is run again with it. Clients choose it, so it
   * tells publishes of one user apart, not of two. Undefined for a volatile one.
   */
  readonly idempotencyKey: string | undefined;
}

/** What the handler of a request is given. */
export interface RequestContext<C extends Contract<C>, K extends PatternOf<C>, R, I extends Identity>
  extends HandlerContext<C, K, I> {
  /** The output of the schema `input`; `undefined` where none is declared. */
  readonly data: RequestData<C, K, R>;
  /** Aborts when the client cancels, its time is up, or its session has ended. */
  readonly signal: AbortSignal;
  /** Ends the request with a failure that the contract declares: `fail('locked', { by: 'Ann' })`. */
  readonly fail: <N extends RequestErrorName<C, K, R>>(name: N, data: RequestFailure<C, K, R, N>) => never;
}

/** What the presence handler is given. */
export interface PresenceContext<C extends Contract<C>, K extends PatternOf<C>, I extends Identity>
  extends HandlerContext<C, K, I> {
  /** What the client entered with: the schema's output. */
  readonly data: PresenceData<C, K>;
}

/** What the snapshot handler is given. */
export interface SnapshotContext<C extends Contract<C>, K extends PatternOf<C>, I extends Identity>
  extends HandlerContext<C, K, I> {
  /** Aborts when nobody waits for the snapshot any more. */
  readonly signal: AbortSignal;
}

/** What `onLeave` is given. */
export interface LeaveContext<C extends Contract<C>, K extends PatternOf<C>, I extends Identity>
  extends HandlerContext<C, K, I> {
  /** `unsubscribed`, or the code that the subscription or the session ended with: `closed`, `session_lost`, `forbidden`, … (PROTOCOL §9). */
  readonly reason: string;
}

type Awaitable<T> = T | Promise<T>;
/** What a handler may return where nothing is declared. */
type Reply<T> = [T] extends [undefined] ? Awaitable<unknown> : Awaitable<T>;

/** Who may do what. Exactly one of the two: nothing is open by default. */
type Access<K extends string, I extends Identity> =
  | {
      /** Whether this may be. Only `true` is a yes; an exception is a no. */
      readonly authorize: (request: AuthorizeRequest<I, K>) => Awaitable<boolean>;
      readonly open?: never;
    }
  | {
      /** Everybody who has a session may do everything that the contract declares. */
      readonly open: true;
      readonly authorize?: never;
    };

type PublishPart<C extends Contract<C>, K extends PatternOf<C>, I extends Identity> = [HandledName<C, K>] extends [
  string,
]
  ? {
      /** One handler for each publish that is not a relay. The client is answered when it has returned. */
      readonly publish: {
        readonly [N in HandledName<C, K> & string]: (context: PublishContext<C, K, N, I>) => unknown;
      };
    }
  : { readonly publish?: Undeclared<'publish'> };

/**
 * What the handler of a streamed request may return: what yields the parts. An async generator also returns the answer that ends them; of
 * anything else that can be iterated over, such as a `ReadableStream`, there is none.
 */
type Stream<Part, Reply> = Awaitable<
  | AsyncIterable<Part, [Reply] extends [undefined] ? unknown : Reply, undefined>
  | (Iterable<Part, [Reply] extends [undefined] ? unknown : Reply, undefined> & object)
>;

type RequestHandler<C extends Contract<C>, K extends PatternOf<C>, R, I extends Identity> = (
  context: RequestContext<C, K, R, I>,
) => R extends StreamedName<C, K> ? Stream<RequestPart<C, K, R>, RequestReply<C, K, R>> : Reply<RequestReply<C, K, R>>;

type RequestsPart<C extends Contract<C>, K extends PatternOf<C>, I extends Identity> = [RequestName<C, K>] extends [
  string,
]
  ? {
      /**
       * One handler for each request. What it returns is the answer.
       *
       * Where the contract declares `yields` it is an async generator: `async function* ({ data, signal }) { yield part; return output; }`.
       * It is asked for a part only when the client has room for it, and is ended (`finally` runs) when the client wants no more.
       */
      readonly requests: {
        readonly [R in RequestName<C, K> & string]: RequestHandler<C, K, R, I>;
      };
    }
  : { readonly requests?: Undeclared<'requests'> };

type PresencePart<C extends Contract<C>, K extends PatternOf<C>, I extends Identity> =
  DefinitionOf<C, K> extends { readonly presence: infer P }
    ? P extends StandardSchema
      ? {
          /**
           * Makes a member of what a client entered with, and again whenever it enters with other data. Throws to refuse. Default: what it
           * entered with is what others see.
           */
          readonly presence?: (context: PresenceContext<C, K, I>) => Awaitable<PresenceVouched<C, K>>;
        }
      : {
          /** Makes a member of what a client entered with, and again whenever it enters with other data; so it vouches for it. Throws to refuse. */
          readonly presence: (context: PresenceContext<C, K, I>) => Awaitable<PresenceVouched<C, K>>;
        }
    : { readonly presence?: Undeclared<'presence'> };

type SnapshotPart<C extends Contract<C>, K extends PatternOf<C>, I extends Identity> =
  DefinitionOf<C, K> extends { readonly snapshot: StandardSchema }
    ? {
        /**
         * The channel's state as it is, for subscribers that cannot be brought up to date by messages alone. Read it when asked: what was
         * broadcast before must be in it.
         */
        readonly snapshot: (context: SnapshotContext<C, K, I>) => Awaitable<SnapshotInput<C, K>>;
      }
    : { readonly snapshot?: Undeclared<'snapshot'> };

/** What is told, and not asked. What they throw reaches `onError` and changes nothing. */
interface Hooks<C extends Contract<C>, K extends PatternOf<C>, I extends Identity> {
  /** A session has subscribed: it has been told so. */
  readonly onSubscribe?: (context: HandlerContext<C, K, I>) => unknown;
  /** A session that `onSubscribe` was told of is no longer subscribed: it left, may not stay, or has ended. */
  readonly onLeave?: (context: LeaveContext<C, K, I>) => unknown;
}

/** Everything a server has to say about one pattern. */
export type Handlers<C extends Contract<C>, K extends PatternOf<C>, I extends Identity> = Access<K, I> &
  Hooks<C, K, I> &
  PublishPart<C, K, I> &
  RequestsPart<C, K, I> &
  PresencePart<C, K, I> &
  SnapshotPart<C, K, I>;
