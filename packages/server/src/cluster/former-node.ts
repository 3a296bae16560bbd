import type { AppUpFrame } from '@runnel/protocol';
import type { Predecessor } from '../subscription.ts';
import type { EstateName } from './former-calls.ts';

/** The node that had a session before, as the application sees it that has taken it over. */
export interface FormerNode {
  /** What the session left there. */
  readonly estate: EstateName;
  /** Hands a frame to the estate where the call runs that it is for, there or at a node before. */
  readonly tell: (estate: EstateName, frame: AppUpFrame) => void;
  /** Resolves when the publishes to the channel that came there have been handled, or the node is not there any more. */
  readonly whenFree: (channel: string) => Promise<void>;
  /** What it has heard of a channel since; see {@link Predecessor}. */
  readonly messages: (channel: string, ...args: Parameters<Predecessor>) => ReturnType<Predecessor>;
}
