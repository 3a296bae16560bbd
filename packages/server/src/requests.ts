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
import { type Awaitable, chained, isPending } from './awaitable.ts';
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

/** A request whose answer is streamed. */
interface Streamed<I extends Identity> extends Pick<Asked<I>, 'of' | 'call' | 'resolved' | 'declared'> {
  readonly frame: RequestFrame;
  readonly credit: number;
  readonly limitMs: number;
}

export class Requests<I extends Identity> {
  readonly #core: Core<I>;
  readonly #options: RequestsOptions<I>;

  constructor(core: Core<I>, options: RequestsOptions<I>) {
    this.#core = core;
    this.#options = options;
  }

  /** `call` is for the frame. */
  handle(of: AppSession<I>, call: Call, frame: RequestFrame): void {
    const [, , , , , timeoutMs = 0, { credit } = {}] = frame;
    const limitMs = timeoutMs === 0 ? this.#options.handlerMs : Math.min(timeoutMs, LIMIT_MS_MAX);
    // A streamed answer moves the limit as it goes.
    if (credit !== undefined) call.limit(limitMs);
    const fail = (error: unknown): void => this.#refuse(of, call, frame, error);
    try {
      const answer = this.#answer(of, call, frame, limitMs);
      if (!isPending(answer)) return call.succeed(answer);
      // What is answered in its own turn is spared the timer.
      if (credit === undefined) call.limit(limitMs);
      answer.then((json) => call.succeed(json)).then(undefined, fail);
    } catch (error) {
      fail(error);
    }
  }

  /** Ends the streamed answers that the session may no longer have. */
  async reauthorize(of: AppSession<I>): Promise<void> {
    await Promise.all(of.calls.map(({ stream }) => stream?.recheck()));
  }

  /** The encoded answer; null where the contract declares none. */
  #answer(of: AppSession<I>, call: Call, frame: RequestFrame, limitMs: number): Awaitable<string | null> {
    const [, , channel, method, data, , { credit } = {}] = frame;
    if (!method.startsWith('$')) return this.#ask(of, call, frame, limitMs);
    const builtIn = this.#options.builtIns.get(method);
    if (credit !== undefined) throw inOnePiece(method);
    return builtIn.answer({ of, call, channel, data });
  }

  #refuse(of: AppSession<I>, call: Call, frame: RequestFrame, error: unknown): void {
    if (call.isAbortion(error)) return;
    if (error instanceof DeclaredAnswer) return call.fail(error);
    const during = this.#options.builtIns.during(frame[3]);
    call.fail(this.#core.reporter.answer(error, contextOf(of, frame, during)));
  }

  #ask(of: AppSession<I>, call: Call, frame: RequestFrame, limitMs: number): Awaitable<string | null> {
    const [, , name, method, data, , { credit, again = false } = {}] = frame;
    const resolved = this.#core.resolve(name);
    const declared = declaredAs(resolved.channel, method, credit !== undefined);
    if (again && !declared.idempotent) {
      const why = 'the session was lost while it was under way, and the contract does not call it idempotent';
      throw new RunnelError('indeterminate', `${method} of ${name} may or may not have run: ${why}`);
    }
    // Before anything is waited for: the client may allow more parts at any time.
    const stream = credit === undefined ? null : this.#stream({ of, call, frame, resolved, declared, credit, limitMs });
    return chained(this.#allowed(of, resolved, method), (handlers) => {
      const { input } = declared;
      const checked = input === null ? undefined : validateOrThrow(input, data, `request ${method} of ${name}`);
      return chained(checked, (value) =>
        call.settled ? null : this.#run({ of, call, resolved, declared, stream, handlers }, value),
      );
    });
  }

  #stream({ of, call, frame, resolved, declared, credit, limitMs }: Streamed<I>): StreamedAnswer<I> {
    const { name, yields } = declared;
    const check = (): Awaitable<PatternHandlers<I>> => this.#allowed(of, resolved, name);
    const encode = (part: unknown): Awaitable<string> =>
      this.#encode(yields, part, `a part of the answer to ${name} of ${resolved.name}`);
    const onError = (error: unknown): void => this.#core.reporter.report(error, contextOf(of, frame, 'request'));
    return new StreamedAnswer({ of, call, credit, limitMs, encode, check, onError });
  }

  /** The handlers, if the session may ask. */
  #allowed(of: AppSession<I>, resolved: ResolvedChannel, method: string): Awaitable<PatternHandlers<I>> {
    return chained(this.#core.handlersOf(resolved), (handlers) =>
      chained(this.#core.authorizer.check(handlers, of, resolved, { action: 'request', method }), () => handlers),
    );
  }

  #run({ of, call, resolved, declared, stream, handlers }: Asked<I>, data: unknown): Awaitable<string | null> {
    const broadcasts = new CallBroadcasts();
    const channel = (): ChannelHandle => this.#channel(of, resolved, broadcasts);
    const signal = (): AbortSignal => call.signal;
    const { info: session } = of;
    const context = new CallContext({ data, session, resolved, channel, idempotencyKey: undefined, signal });
    const run = (): unknown => handlers.requests.get(declared.name)?.(context);
    const { name } = resolved;
    const replying = this.#reply(declared, name, stream === null ? run : async () => stream.send(await run()));
    return chained(replying, (reply) =>
      chained(broadcasts.accepted(), () => {
        const { output } = declared;
        if (output === null || call.settled) return null;
        return this.#encode(output, reply, `the answer to ${declared.name} of ${name}`);
      }),
    );
  }

  /** What the handler returns; what it failed with as declared becomes the error that says so. */
  #reply(declared: CompiledRequest, channel: string, run: () => unknown): Awaitable<unknown> {
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
    return this.#own(() =>
      chained(schema === null ? value : validateOrThrow(schema, value, subject), (checked) => {
        const json = encodeData(checked);
        this.#core.encoder.checkSize(json, subject);
        return json;
      }),
    );
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
