import type { MemberData } from '../presence-member.ts';
import type { HandedOver } from '../subscription.ts';
import type { CallsElsewhere } from './former-calls.ts';

/** What the application keeps of a session, on its way from one node to another (PROTOCOL §12.2). */
export interface ApplicationRecord {
  readonly subscriptions: readonly HandedOver[];
  /** Calls that the node answers which had it until now. */
  readonly calls: readonly number[];
  /** Those that nodes answer which had it before. */
  readonly elsewhere: readonly CallsElsewhere[];
  /** Channels to which publishes have come there that were not handled yet. */
  readonly busy: readonly string[];
  /** Channels in which it is present, and as what. */
  readonly presence: readonly { readonly channel: string; readonly member: MemberData }[];
}
