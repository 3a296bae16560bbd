/** Requests: they run beside each other, each with a time limit, and each is answered once. */
import {
  type CompiledRequest,
  encodeData,
  type Identity,
  type RequestFrame,
  type ResolvedChannel,
  RunnelError,
  validateOrThrow,
} from '@runnel/protocol';
import type { AppSession } from './app-session.ts';
import type { BuiltIns } from './built-ins.ts';
import type { Call } from './call.ts';
import { CallBroadcasts, CallContext, DeclaredFailure } from './channels/call-context.ts';
import { ChannelHandle, type ChannelPorts } from './channels/channel-handle.ts';
import { type Core, shown } from './core.ts';

/** The longest time limit that a client may ask for, ms. */
const LIMIT_MS_MAX = 3_600_000;

export interface RequestsOptions<I extends Identity> {
  readonly ports: ChannelPorts;
  readonly builtIns: BuiltIns<I>;
  /** Time limit of a request whose client names none, ms. */
  readonly handlerMs: number;
}

export class Requests<I extends Identity> {
  readonly #core: Core<I>;
  readonly #options: RequestsOptions<I>;

  constructor(core: Core<I>, options: RequestsOptions<I>) {
    this.#core = core;
    this.#options = options;
  }

  /** `call` is for the frame. */
  async handle(of: AppSession<I>, call: Call, [, , channel, method, data, timeoutMs]: RequestFrame): Promise<void> {
    const { handlerMs, builtIns } = this.#options;
    call.limit(timeoutMs === undefined || timeoutMs === 0 ? handlerMs : Math.min(timeoutMs, LIMIT_MS_MAX));
    try {
      const builtIn = method.startsWith('$') ? builtIns.get(method) : undefined;
      call.succeed(
        builtIn === undefined ? await this.#ask(of, call, { channel, method, data }) : await builtIn(of, channel, data),
      );
    } catch (error) {
      if (call.isAbortion(error)) return;
      const during = method.startsWith('$') ? 'presence' : 'request';
      const context = { during, channel: channel.slice(0, 256), method: method.slice(0, 64), user: of.userId } as const;
      call.fail(error instanceof DeclaredAnswer ? error : this.#core.reporter.answer(error, context));
    }
  }

  /** The encoded answer; null where the contract declares none. */
  async #ask(
    of: AppSession<I>,
    call: Call,
    { channel: name, method, data }: { channel: string; method: string; data: unknown },
  ): Promise<string | null> {
    const resolved = this.#core.resolve(name);
    const declared = resolved.channel.requests.get(method);
    if (declared === undefined || declared.yields !== null) {
      throw new RunnelError('unknown_method', `${resolved.channel.pattern} answers no request ${shown(method)}`);
    }
    const handlers = await this.#core.handlersOf(resolved);
    await this.#core.authorizer.check(handlers, of, resolved, { action: 'request', method });
    const { input, output } = declared;
    const value = input === null ? undefined : await validateOrThrow(input, data, `request ${method} of ${name}`);
    if (call.settled) return null;
    const broadcasts = new CallBroadcasts();
    const channel = this.#channel(of, resolved, broadcasts);
    const signal = (): AbortSignal => call.signal;
    const { info: session } = of;
    const context = new CallContext({ data: value, session, resolved, channel, idempotencyKey: undefined, signal });
    const reply = await this.#reply(declared, name, () => handlers.requests.get(method)?.(context));
    await broadcasts.accepted();
    return output === null ? null : this.#encode(declared, name, reply);
  }

  /** What the handler returns; what it failed with as declared becomes the error that says so. */
  async #reply({ name: method, errors }: CompiledRequest, channel: string, run: () => unknown): Promise<unknown> {
    try {
      return await run();
    } catch (error) {
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
  }

  async #encode({ name: method, output }: CompiledRequest, channel: string, reply: unknown): Promise<string> {
    const subject = `the answer to ${method} of ${channel}`;
    return this.#own(async () => {
      const json = encodeData(output === null ? reply : await validateOrThrow(output, reply, subject));
      this.#core.encoder.checkSize(json, subject);
      return json;
    });
  }

  /** What the server itself gets wrong on the way out is not for clients to hear of. */
  async #own<T>(run: () => T | Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw RunnelError.is(error) ? this.#core.reporter.own(error) : error;
    }
  }

  #channel(of: AppSession<I>, resolved: ResolvedChannel, broadcasts: CallBroadcasts): ChannelHandle {
    const { client: by } = of.session;
    const broadcast: ChannelPorts['broadcast'] = (to, event, data) =>
      broadcasts.add(this.#core.broadcaster.broadcast(to, event, data, { by }));
    return new ChannelHandle({ ...this.#options.ports, broadcast }, resolved);
  }
}

/** The answer that a declared failure becomes. */
class DeclaredAnswer extends RunnelError {}
