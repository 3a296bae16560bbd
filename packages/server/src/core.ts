import {
  type CompiledContract,
  type Identity,
  type Limits,
  NAME_LIMITS,
  type ResolvedChannel,
  RunnelError,
} from '@runnel/protocol';
import type { Authorizer } from './authorizer.ts';
import type { Broadcaster } from './broadcaster.ts';
import type { Broker } from './brokers/broker.ts';
import type { HandlerRegistry } from './channels/handler-registry.ts';
import type { PatternHandlers } from './channels/pattern-handlers.ts';
import type { Encoder } from './encoder.ts';
import type { Hub } from './hub.ts';
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
  }

  /**
   * The channel behind a name from a client.
   *
   * @throws RunnelError `channel_invalid`, `unknown_channel`
   */
  resolve(name: string): ResolvedChannel {
    if (name === '' || name.length > NAME_LIMITS.channel) {
      throw new RunnelError('channel_invalid', `a channel name has 1 to ${NAME_LIMITS.channel} characters`);
    }
    const resolved = this.contract.resolve(name);
    if (resolved !== null) return resolved;
    throw new RunnelError('unknown_channel', `there is no channel ${shown(name)}`);
  }

  /**
   * The handlers of a channel, when they are there.
   *
   * @throws RunnelError `unknown_channel`, thrown or rejected, where nobody handles the pattern
   */
  handlersOf({ name, channel }: ResolvedChannel): PatternHandlers<I> | Promise<PatternHandlers<I>> {
    const handlers = this.handlers.get(channel.pattern);
    if (!(handlers instanceof Promise)) return handlers;
    return handlers.then((late) => {
      if (late !== null) return late;
      throw new RunnelError('unknown_channel', `nobody handles ${shown(name)}`);
    });
  }
}

/** A name from a client, fit for a message. */
export const shown = (name: string): string => JSON.stringify(name.slice(0, 64));
