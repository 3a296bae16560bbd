import { type CompiledPublish, type Identity, type ResolvedChannel, validateOrThrow } from '@runnel/protocol';
import type { AppSession } from './app-session.ts';
import { CallBroadcasts, CallContext } from './channels/call-context.ts';
import { ChannelHandle, type ChannelPorts } from './channels/channel-handle.ts';
import type { Core } from './core.ts';
import { LazyAbort } from './lazy-abort.ts';

/** Volatile messages of one session under way; beyond it the newest are dropped. */
const UNDER_WAY_MAX = 64;

/** Volatile messages from clients (PROTOCOL §4.9): what may not be, or cannot be taken now, is dropped without a word. */
export class Volatiles<I extends Identity> {
  readonly #core: Core<I>;

  constructor(core: Core<I>) {
    this.#core = core;
  }

  handle(of: AppSession<I>, channel: string, event: string, data: unknown): void {
    const resolved = this.#core.contract.resolve(channel);
    const declared = resolved?.channel.publish.get(event);
    if (resolved === null || declared === undefined || !declared.volatile || of.volatiles >= UNDER_WAY_MAX) return;
    of.volatiles += 1;
    void this.#run(of, resolved, declared, data).finally(() => {
      of.volatiles -= 1;
    });
  }

  async #run(of: AppSession<I>, resolved: ResolvedChannel, declared: CompiledPublish, data: unknown): Promise<void> {
    const { name: event } = declared;
    try {
      const handlers = await this.#core.handlersOf(resolved);
      await this.#core.authorizer.check(handlers, of, resolved, { action: 'publish', event });
      const value = await validateOrThrow(declared.schema, data, `volatile ${event} of ${resolved.name}`);
      const { client: by } = of.session;
      if (declared.route === 'relay') {
        this.#core.broadcaster.send(resolved, declared.event, value, { by });
        return;
      }
      const broadcasts = new CallBroadcasts();
      const broadcast: ChannelPorts['broadcast'] = (to, name, payload) =>
        broadcasts.add(this.#core.broadcaster.broadcast(to, name, payload, { by }));
      const channel = (): ChannelHandle => new ChannelHandle(this.#core.ports, resolved, broadcast);
      const abort = new LazyAbort();
      const signal = (): AbortSignal => abort.signal;
      const { info: session } = of;
      const handler = handlers.publish.get(event);
      await handler?.(new CallContext({ data: value, session, resolved, channel, idempotencyKey: undefined, signal }));
    } catch (error) {
      // Tells the app where it is the app's; the client is told nothing.
      this.#core.reporter.answer(error, { during: 'publish', channel: resolved.name, event, user: of.userId });
    }
  }
}
