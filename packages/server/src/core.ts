import {
  type CompiledContract,
  type Identity,
  type Limits,
  NAME_LIMITS,
  type ResolvedChannel,
  RunnelError,
} from '@runnel/protocol';
import type { AppSession } from './app-session.ts';
import type { Authorizer } from './authorizer.ts';
import type { Broadcaster } from './broadcaster.ts';
import type { Broker } from './brokers/broker.ts';
import { ChannelHandle, type ChannelPorts } from './channels/channel-handle.ts';
import type { HandlerRegistry } from './channels/handler-registry.ts';
import type { ChannelContext, PatternHandlers } from './channels/pattern-handlers.ts';
import type { Encoder } from './encoder.ts';
import type { Hub } from './hub.ts';
import { mismatch, shown } from './mismatch.ts';
import type { Reporter } from './reporter.ts';
import type { Timing } from './timing.ts';

export interface CoreParts<I extends Identity> {
  readonly contract: CompiledContract;
  readonly limits: Limits;
  readonly clock: Timing;
  readonly broker: Broker;
  readonly encoder: Encoder;
  readonly reporter: Reporter;
  readonly handlers: HandlerRegistry<I>;
  readonly authorizer: Authorizer<I>;
  readonly broadcaster: Broadcaster;
  readonly hub: Hub;
  /** Of channels whose broadcasts are the server's own. */
  readonly ports: ChannelPorts;
}

/** What everything that serves sessions shares. */
export class Core<I extends Identity> {
  readonly contract: CompiledContract;
  readonly limits: Limits;
  readonly clock: Timing;
  readonly broker: Broker;
  readonly encoder: Encoder;
  readonly reporter: Reporter;
  readonly authorizer: Authorizer<I>;
  readonly broadcaster: Broadcaster;
  readonly hub: Hub;
  readonly handlers: HandlerRegistry<I>;
  readonly ports: ChannelPorts;

  constructor(parts: CoreParts<I>) {
    this.contract = parts.contract;
    this.limits = parts.limits;
    this.clock = parts.clock;
    this.broker = parts.broker;
    this.encoder = parts.encoder;
    this.reporter = parts.reporter;
    this.authorizer = parts.authorizer;
    this.broadcaster = parts.broadcaster;
    this.hub = parts.hub;
    this.handlers = parts.handlers;
    this.ports = parts.ports;
  }

  /**
   * The channel behind a name from a client.
   *
   * @throws RunnelError `channel_invalid`, `unknown_channel`
   */
  resolve(name: string): ResolvedChannel {
    const open = this.hub.get(name);
    if (open !== undefined) return open.resolved;
    if (name === '' || name.length > NAME_LIMITS.channel) {
      throw new RunnelError('channel_invalid', `a channel name has 1 to ${NAME_LIMITS.channel} characters`);
    }
    // What is followed was resolved before, and is shared.
    const resolved = this.hub.get(name)?.resolved ?? this.contract.resolve(name);
    if (resolved !== null) return resolved;
    throw mismatch('unknown_channel', `no channel is called ${shown(name)}`, this.contract.channels.keys());
  }

  /**
   * The handlers of a channel, when they are there.
   *
   * @throws RunnelError `unknown_channel`, thrown or rejected, where nobody handles the pattern
   */
  handlersOf({ channel: { pattern } }: ResolvedChannel): PatternHandlers<I> | Promise<PatternHandlers<I>> {
    const handlers = this.handlers.get(pattern);
    if (!(handlers instanceof Promise)) return handlers;
    return handlers.then((late) => {
      if (late !== null) return late;
      throw new RunnelError('unknown_channel', `the server has no handlers for ${pattern}: it has not called handle()`);
    });
  }

  /** What hooks and handlers are given that no call of a client is behind. */
  contextOf({ info: session }: AppSession<I>, resolved: ResolvedChannel): ChannelContext<I> {
    const channel = new ChannelHandle(this.ports, resolved);
    return { user: session.user, params: resolved.params, channel, session };
  }
}
