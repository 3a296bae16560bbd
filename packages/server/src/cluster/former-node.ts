import type { AppUpFrame } from '@runnel/protocol';
import type { Predecessor } from '../subscription.ts';

/** The node that had a session before, as the application sees it that has taken it over. */
export interface FormerNode {
  /** Hands on a frame for a call that runs there. */
  readonly tell: (frame: AppUpFrame) => void;
  /** Resolves when the publishes to the channel that came there have been handled, or the node is not there any more. */
  readonly whenFree: (channel: string) => Promise<void>;
  /** What it has heard of a channel since; see {@link Predecessor}. */
  readonly messages: (channel: string, ...args: Parameters<Predecessor>) => ReturnType<Predecessor>;
}
