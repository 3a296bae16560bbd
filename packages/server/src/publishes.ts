/**
 * Publishes: those of one session to one channel run one after another, and each runs once per idempotency key (PROTOCOL §5.22, DESIGN P3).
 *
 * What runs is an *execution*, kept by user, channel and key for the dedup window: a publish that is sent again, by the same session or by
 * the one that followed it, finds it and gets its outcome. What a client is answered is a *call*; it may end before its execution does.
 */
import {
  type CompiledChannel,
  type CompiledPublish,
  type Identity,
  type PublishFrame,
  type ResolvedChannel,
  RunnelError,
  validateOrThrow,
} from '@runnel/protocol';
import type { AppSession } from './app-session.ts';
import { isPending } from './awaitable.ts';
import type { Call } from './call.ts';
import { CallBroadcasts, CallContext } from './channels/call-context.ts';
import { ChannelHandle, type ChannelPorts } from './channels/channel-handle.ts';
import type { Core } from './core.ts';
import { LazyAbort } from './lazy-abort.ts';
import { mismatch, shown } from './mismatch.ts';
import { UserWindows } from './user-windows.ts';

/** Executions remembered of one user; beyond it the oldest are forgotten early. */
const KEYS_PER_USER_MAX = 10_000;

interface Execution {
  /** Null: it was accepted. */
  readonly outcome: Promise<RunnelError | null>;
  readonly abort: LazyAbort;
}

interface Publish<I extends Identity> {
  readonly of: AppSession<I>;
  readonly call: Call;
  readonly resolved: ResolvedChannel;
  readonly declared: CompiledPublish;
  readonly data: unknown;
  readonly key: string;
}

export interface PublishesOptions {
  /** How long a handler may take, ms. */
  readonly handlerMs: number;
}

export class Publishes<I extends Identity> {
  readonly #core: Core<I>;
  readonly #options: PublishesOptions;
  readonly #executions: UserWindows<Execution>;

  constructor(core: Core<I>, options: PublishesOptions) {
    this.#core = core;
    this.#options = options;
    this.#executions = new UserWindows({ spanMs: core.limits.dedupMs, sizeMax: KEYS_PER_USER_MAX });
  }

  /** `call` is for the frame. */
  handle(of: AppSession<I>, call: Call, [, , channel, event, data, key]: PublishFrame): void {
    try {
      const resolved = this.#core.resolve(channel);
      const declared = resolved.channel.publish.get(event);
      if (declared === undefined || declared.volatile) throw unknownEvent(resolved.channel, event);
      of.inTurn(channel, () => this.#run({ of, call, resolved, declared, data, key }));
    } catch (error) {
      call.fail(this.#core.reporter.answer(error, { during: 'publish', user: of.userId }));
    }
  }

  /** Resolves when the next publish in the queue may run. */
  #run(publish: Publish<I>): Promise<void> {
    const { of, call, resolved, key } = publish;
    if (call.settled) return Promise.resolve();
    // Neither the key nor a channel's name has line breaks, so the pair is unambiguous.
    const name = `${key}\n${resolved.name}`;
    const now = this.#core.clock.now();
    let execution = this.#executions.get(of.userId, name, now);
    if (execution === undefined) {
      const abort = new LazyAbort();
      execution = { outcome: this.#execute(publish, name, abort), abort };
      this.#executions.set(of.userId, { name, value: execution }, now);
    }
    return this.#settle(call, execution);
  }

  #settle(call: Call, { outcome, abort }: Execution): Promise<void> {
    const { handlerMs } = this.#options;
    return new Promise((resolve) => {
      // A canceled call holds the queue until its handler has stopped, but none longer than this.
      const cancelTimer = this.#core.clock.after(handlerMs, () => {
        call.abort(new RunnelError('timeout', `the handler did not finish in ${handlerMs} ms`));
        resolve();
      });
      call.onAborted((reason) => abort.abort(reason));
      void outcome.then((refusal) => {
        cancelTimer();
        if (refusal === null) call.succeed(null);
        else call.fail(refusal);
        resolve();
      });
    });
  }

  async #execute(publish: Publish<I>, name: string, abort: LazyAbort): Promise<RunnelError | null> {
    const { of, resolved, declared, data, key } = publish;
    const context = { during: 'publish', channel: resolved.name, event: declared.name, user: of.userId } as const;
    let begun = false;
    try {
      // Always awaited: the execution is remembered before it may be forgotten again.
      const handlers = await this.#core.handlersOf(resolved);
      const { name: event } = declared;
      const checking = this.#core.authorizer.check(handlers, of, resolved, { action: 'publish', event });
      if (isPending(checking)) await checking;
      const checked = validateOrThrow(declared.schema, data, `publish ${event} of ${resolved.name}`);
      const value = isPending(checked) ? await checked : checked;
      begun = true;
      const keyOf = (k: number): string => `${key}:${k}:${of.userId}`;
      if (declared.route === 'relay') {
        const { client: by } = of.session;
        await this.#core.broadcaster.send(resolved, declared.event, value, { by, idempotencyKey: keyOf(0) });
        return null;
      }
      const broadcasts = new CallBroadcasts();
      const channel = (): ChannelHandle => this.#channel(publish, broadcasts, keyOf);
      const signal = (): AbortSignal => abort.signal;
      const { info: session } = of;
      const handler = handlers.publish.get(event);
      await handler?.(new CallContext({ data: value, session, resolved, channel, idempotencyKey: key, signal }));
      await broadcasts.accepted();
      return null;
    } catch (error) {
      // What was refused before it began had no effect, and of what the broker did not take it keeps one: both may be tried again.
      if (!begun || isOfBroker(error)) this.#executions.delete(of.userId, name);
      if (abort.caused(error)) return new RunnelError('canceled', 'the publish was canceled');
      return this.#core.reporter.answer(error, context);
    }
  }

  /** The channel as the handler has it: what it broadcasts is its client's, once per key. */
  #channel(publish: Publish<I>, broadcasts: CallBroadcasts, keyOf: (k: number) => string): ChannelHandle {
    const { client: by } = publish.of.session;
    const broadcast: ChannelPorts['broadcast'] = (resolved, event, data) => {
      const idempotencyKey = keyOf(broadcasts.count);
      return broadcasts.add(this.#core.broadcaster.broadcast(resolved, event, data, { by, idempotencyKey }));
    };
    return new ChannelHandle(this.#core.ports, publish.resolved, broadcast);
  }
}

const isOfBroker = (error: unknown): boolean => RunnelError.is(error) && error.code === 'broker_failed';

function unknownEvent({ pattern, publish }: CompiledChannel, event: string): RunnelError {
  if (publish.has(event)) {
    return new RunnelError('unknown_event', `${event} of ${pattern} is volatile: use send(), which has no answer`);
  }
  const answered = [...publish.values()].filter(({ volatile }) => !volatile).map(({ name }) => name);
  return mismatch('unknown_event', `clients cannot publish ${shown(event)} to ${pattern}`, answered);
}
