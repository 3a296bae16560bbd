/** The state of a channel, where its contract declares one. */
import type { Contract, PatternOf, Position, SnapshotPayload, Undeclared } from '@runnel/protocol';
import type { AnySnapshot } from './shared-channel.ts';
import type { CallOptions, SharedChannels } from './shared-channels.ts';

/** A channel's state. It holds all that happened up to `position` in the channel's log, and perhaps something of what follows. */
export interface Snapshot<D> {
  readonly data: D;
  readonly position: Position;
}

/** The {@link Snapshot} of a channel, as its contract declares it. */
export type ChannelSnapshot<C extends Contract<C>, K extends PatternOf<C>> = Snapshot<SnapshotPayload<C, K>>;

/** `T`; the compiler names the type `Undeclared<'snapshot'>` where the channel has none. */
type IfDeclared<C extends Contract<C>, K extends PatternOf<C>, T> = [SnapshotPayload<C, K>] extends [
  Undeclared<'snapshot'>,
]
  ? Undeclared<'snapshot'>
  : T;

/** Gets a snapshot's data, and where it stands. */
export type SnapshotHandler<C extends Contract<C>, K extends PatternOf<C>> = IfDeclared<
  C,
  K,
  (data: SnapshotPayload<C, K>, at: { readonly position: Position }) => void
>;

/** What `readSnapshot` is given. */
export type SnapshotArguments<C extends Contract<C>, K extends PatternOf<C>> =
  IfDeclared<C, K, null> extends null ? [options?: CallOptions] : [options: Undeclared<'snapshot'>];

/** PROTOCOL §5.18: asks `$snapshot`. */
export function readSnapshot(channels: SharedChannels, channel: string, options: CallOptions): Promise<AnySnapshot> {
  return channels.request({ channel, name: '$snapshot', data: null }, options).then((answer) => {
    const { epoch, offset, data } = answer as Position & { readonly data: unknown };
    return { data, position: { epoch, offset } };
  });
}
