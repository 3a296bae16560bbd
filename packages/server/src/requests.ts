/** Requests: they run beside each other, each with a time limit, and each is answered once, in one piece or after parts (PROTOCOL §5.18, §5.27). */
import {
  type CompiledChannel,
  type CompiledRequest,
  encodeData,
  type Identity,
  NAME_LIMITS,
  type RequestFrame,
  type ResolvedChannel,
  RunnelError,
  validateOrThrow,
} from '@runnel/protocol';
import type { AppSession } from './app-session.ts';
import { type Awaitable, isPending } from './awaitable.ts';
import type { BuiltIns } from './built-ins.ts';
import type { Call } from './call.ts';
import { CallBroadcasts, CallContext, DeclaredFailure } from './channels/call-context.ts';
import { ChannelHandle, type ChannelPorts } from './channels/channel-handle.ts';
import type { PatternHandlers } from './channels/pattern-handlers.ts';
import type { Core } from './core.ts';
import { mismatch, shown } from './mismatch.ts';
import type { ErrorContext } from './reporter.ts';
import { StreamedAnswer } from './streamed-answer.ts';

/** The longest time limit that a client may ask for, ms. */
const LIMIT_MS_MAX = 3_600_000;

export interface RequestsOptions<I extends Identity> {
  readonly builtIns: BuiltIns<I>;
  /** Time limit of a request whose client names none, ms. */
  readonly handlerMs: number;
}

/** One request to a handler. */
interface Asked<I extends Identity> {
  readonly of: AppSession<I>;
  readonly call: Call;
  readonly resolved: ResolvedChannel;
  readonly declared: CompiledRequest;
  /** Null: its answer is not streamed. */
  readonly stream: StreamedAnswer<I> | null;
  readonly handlers: PatternHandlers<I>;
}

export class Requests<I extends Identity> {
  readonly #core: Core<I>;
  readonly #options: RequestsOptions<I>;

  constructor(core: Core<I>, options: RequestsOptions<I>) {
    this.#core = core;
    this.#options = options;
  }

  /** `call` is for the frame. */
  async handle(of: AppSession<I>, call: Call, frame: RequestFrame): Promise<void> {
    const [, , channel, method, data, timeoutMs = 0, { credit } = {}] = frame;
    const limitMs = timeoutMs === 0 ? this.#options.handlerMs : Math.min(timeoutMs, LIMIT_MS_MAX);
    call.limit(limitMs);
    let during: ErrorContext['during'] = 'request';
    try {
      if (!method.startsWith('$')) return call.succeed(await this.#ask(of, call, frame, limitMs));
      const builtIn = this.#options.builtIns.get(method);
      during = builtIn.during;
      if (credit !== undefined) throw inOnePiece(method);
      call.succeed(await builtIn.answer({ of, call, channel, data }));
    } catch (error) {
      if (call.isAbortion(error)) return;
      const answer = error instanceof DeclaredAnswer;
      call.fail(answer ? error : this.#core.reporter.answer(error, contextOf(of, frame, during)));
    }
  }

  /** Ends the streamed answers that the session may no longer have. */
  async reauthorize(of: AppSession<I>): Promise<void> {
    await Promise.all(of.calls.map(({ stream }) => stream?.recheck()));
  }

  /** The encoded answer; null where the contract declares none. */
  async #ask(of: AppSession<I>, call: Call, frame: RequestFrame, limitMs: number): Promise<string | null> {
    const [, , name, method, data, , { credit, again = false } = {}] = frame;
    const resolved = this.#core.resolve(name);
    const declared = declaredAs(resolved.channel, method, credit !== undefined);
    if (again && !declared.idempotent) {
      const why = 'the session was lost while it was under way, and the contract does not call it idempotent';
      throw new RunnelError('indeterminate', `${method} of ${name} may or may not have run: ${why}`);
    }
    const check = (): Awaitable<PatternHandlers<I>> => this.#allowed(of, resolved, method);
    const encode = (part: unknown): Awaitable<string> =>
      this.#encode(declared.yields, part, `a part of the answer to ${method} of ${name}`);
    const onError = (error: unknown): void => this.#core.reporter.report(error, contextOf(of, frame, 'request'));
    // Before anything is waited for: the client may allow more parts at any time.
    const stream =
      credit === undefined ? null : new StreamedAnswer({ of, call, credit, limitMs, encode, check, onError });
    const allowed = check();
    const handlers = isPending(allowed) ? await allowed : allowed;
    const { input } = declared;
    const checked = input === null ? undefined : validateOrThrow(input, data, `request ${method} of ${name}`);
    const value = isPending(checked) ? await checked : checked;
    return call.settled ? null : this.#run({ of, call, resolved, declared, stream, handlers }, value);
  }

  /** The handlers, if the session may ask. */
  #allowed(of: AppSession<I>, resolved: ResolvedChannel, method: string): Awaitable<PatternHandlers<I>> {
    const check = (handlers: PatternHandlers<I>): Awaitable<PatternHandlers<I>> => {
      const checked = this.#core.authorizer.check(handlers, of, resolved, { action: 'request', method });
      return isPending(checked) ? checked.then(() => handlers) : handlers;
    };
    const handlers = this.#core.handlersOf(resolved);
    return isPending(handlers) ? handlers.then(check) : check(handlers);
  }

  async #run({ of, call, resolved, declared, stream, handlers }: Asked<I>, data: unknown): Promise<string | null> {
    const broadcasts = new CallBroadcasts();
    const channel = (): ChannelHandle => this.#channel(of, resolved, broadcasts);
    const signal = (): AbortSignal => call.signal;
    const { info: session } = of;
    const context = new CallContext({ data, session, resolved, channel, idempotencyKey: undefined, signal });
    const run = (): unknown => handlers.requests.get(declared.name)?.(context);
    const { name } = resolved;
    const replying = this.#reply(declared, name, stream === null ? run : async () => stream.send(await run()));
    const reply = isPending(replying) ? await replying : replying;
    const accepting = broadcasts.accepted();
    if (isPending(accepting)) await accepting;
    const { output } = declared;
    if (output === null || call.settled) return null;
    return this.#encode(output, reply, `the answer to ${declared.name} of ${name}`);
  }

  /** What the handler returns; what it failed with as declared becomes the error that says so. */
  #reply(declared: CompiledRequest, channel: string, run: () => unknown): unknown {
    const fail = (error: unknown): Promise<never> => this.#fail(declared, channel, error);
    try {
      const reply = run();
      return isPending(reply) ? reply.then(undefined, fail) : reply;
    } catch (error) {
      return fail(error);
    }
  }

  async #fail({ name: method, errors }: CompiledRequest, channel: string, error: unknown): Promise<never> {
    if (!(error instanceof DeclaredFailure)) throw error;
    const schema = errors.get(error.failure);
    if (schema === undefined) {
      throw new TypeError(`request ${method} of ${channel} declares no error ${shown(String(error.failure))}`);
    }
    const data = await this.#own(() => validateOrThrow(schema, error.data, `error ${error.failure} of ${method}`));
    throw new DeclaredAnswer(`app:${error.failure}`, `the request failed: ${error.failure}`, {
      data,
      retryable: false,
    });
  }

  #encode(schema: CompiledRequest['output'], value: unknown, subject: string): Awaitable<string> {
    const write = (checked: unknown): string => {
      const json = encodeData(checked);
      this.#core.encoder.checkSize(json, subject);
      return json;
    };
    return this.#own(() => {
      const checked = schema === null ? value : validateOrThrow(schema, value, subject);
      return isPending(checked) ? checked.then(write) : write(checked);
    });
  }

  /** What the server itself gets wrong on the way out is not for clients to hear of. */
  #own<T>(run: () => Awaitable<T>): Awaitable<T> {
    try {
      const own = run();
      return isPending(own) ? own.then(undefined, this.#disown) : own;
    } catch (error) {
      return this.#disown(error);
    }
  }

  readonly #disown = (error: unknown): never => {
    throw RunnelError.is(error) ? this.#core.reporter.own(error) : error;
  };

  #channel(of: AppSession<I>, resolved: ResolvedChannel, broadcasts: CallBroadcasts): ChannelHandle {
    const { client: by } = of.session;
    const broadcast: ChannelPorts['broadcast'] = (to, event, data) =>
      broadcasts.add(this.#core.broadcaster.broadcast(to, event, data, { by }));
    return new ChannelHandle(this.#core.ports, resolved, broadcast);
  }
}

/** The answer that a declared failure becomes. */
class DeclaredAnswer extends RunnelError {}

function contextOf<I extends Identity>(
  { userId: user }: AppSession<I>,
  [, , channel, method]: RequestFrame,
  during: ErrorContext['during'],
): ErrorContext {
  return { during, channel: channel.slice(0, NAME_LIMITS.channel), method: method.slice(0, NAME_LIMITS.name), user };
}

/** @throws RunnelError `unknown_method` for a request that is not declared, or not as one whose answer is streamed, or not as any other */
function declaredAs({ pattern, requests }: CompiledChannel, method: string, streamed: boolean): CompiledRequest {
  const declared = requests.get(method);
  if (declared === undefined) {
    throw mismatch('unknown_method', `${pattern} has no request ${shown(method)}`, requests.keys());
  }
  if (streamed === (declared.yields !== null)) return declared;
  if (streamed) throw inOnePiece(`${method} of ${pattern}`);
  const how = 'ask with iterate(), not request()';
  throw new RunnelError('unknown_method', `the answer to ${method} of ${pattern} is streamed: ${how}`);
}

function inOnePiece(what: string): RunnelError {
  const how = 'ask with request(), not iterate()';
  return new RunnelError('unknown_method', `the answer to ${what} comes in one piece: ${how}`);
}
