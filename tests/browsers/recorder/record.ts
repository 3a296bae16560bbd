import type { Attempt, ConnectionState, Transport } from '@runnel/client';

/** What a tab is called, and what it may use. */
export type TabName = Transport | 'auto';

export const TAB_NAMES: readonly TabName[] = ['websocket', 'stream', 'poll', 'auto'];

/** What a recorder's page has seen since it was loaded. */
export interface Record {
  /** Whether it ever was: from then on numbers come. */
  readonly subscribed: boolean;
  readonly status: ConnectionState['status'];
  readonly transport: Transport | null;
  readonly attempts: readonly Attempt[];
  /** Numbers from the server, as they came. */
  readonly numbers: readonly number[];
  /** Own numbers whose publish has not been answered. */
  readonly unanswered: readonly number[];
  /** Public names of its sessions, in order; once each time that changed. */
  readonly sessions: readonly string[];
  /** What the browser told the page of its life, and what went wrong there. */
  readonly life: readonly string[];
  /** How often a timer of 100 ms has gone off. */
  readonly timerTurns: number;
}

/** What the page offers to the test. */
export interface Recorder {
  record(): Record;
  /** Publishes this many further numbers. */
  say(count: number): void;
}
