/** Handles as the stores behind the hooks see them: those need what a handle does, not what its contract says. */
import type { Channel, Contract, PatternOf, StandardSchema } from '@runnel/protocol';
import type { ClientChannel } from '../channel.ts';
import type { ChannelMessage } from '../messages.ts';

/** Declares everything, and nothing of it is known. */
interface Anything {
  readonly [pattern: string]: Channel<{
    readonly events: { readonly [name: string]: StandardSchema };
    readonly presence: StandardSchema;
    readonly history: { readonly size: number; readonly ttl: number };
    readonly snapshot: StandardSchema;
  }>;
}

export type AnyChannel = ClientChannel<Anything, string>;

export function anyChannel<C extends Contract<C>, K extends PatternOf<C>>(channel: ClientChannel<C, K>): AnyChannel {
  return channel as unknown as AnyChannel;
}

export type AnyMessage = ChannelMessage<Anything, string>;
