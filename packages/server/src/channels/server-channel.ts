import type {
  Contract,
  EventInput,
  EventName,
  ParamsOf,
  PatternOf,
  Position,
  PresenceMember,
  Undeclared,
} from '@runnel/protocol';
import type { Occupancy } from './channel-handle.ts';

/** One who is there. */
export interface Member<Data> {
  /** The user's id. */
  readonly id: string;
  readonly data: Data;
  /** False while none of the user's sessions has a link. */
  readonly connected: boolean;
}

/** Those who are in a channel. */
export interface ServerPresence<Data> {
  /** All of them, in the order in which they came. */
  members(): Promise<readonly Member<Data>[]>;
}

/** One channel, from the server's side: `realtime.channel(pattern, params)`, and `channel` in every handler. */
export interface ServerChannel<C extends Contract<C>, K extends PatternOf<C>> {
  readonly name: string;
  readonly pattern: K;
  readonly params: ParamsOf<K>;
  /**
   * Sends an event to every subscriber. In the handler of a publish or request it is its client's (`meta.by`), and the call is not
   * answered before the broker has it; in that of a publish it is sent once, however often the publish is.
   *
   * Nobody has to await it: failures also reach `onError`.
   *
   * @returns its position in the channel's log, once the broker has accepted it; null for a volatile event
   * @throws RunnelError rejects with `validation_failed`, `payload_too_large`, `broker_failed`
   */
  broadcast<E extends EventName<C, K>>(event: E, data: EventInput<C, K, E>): Promise<Position | null>;
  readonly presence: PresenceMember<C, K> extends Undeclared<string>
    ? Undeclared<'presence'>
    : ServerPresence<PresenceMember<C, K>>;
  /** Counts without listing. */
  occupancy(): Promise<Occupancy>;
}
