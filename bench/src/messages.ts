/** What the processes of the benchmark say to each other. */
import type { ContenderName } from './contenders/roster.ts';

export type ServerCommand =
  /** Messages numbered from `from` on, all in one turn. */
  | { readonly type: 'broadcast'; readonly from: number; readonly count: number; readonly payloadBytes: number }
  /** Begins a CPU profile that is written when the process ends. */
  | { readonly type: 'profile'; readonly file: string }
  /** Collects garbage and says what remains. */
  | { readonly type: 'memory' }
  /** Ends the process in good order. */
  | { readonly type: 'stop' };

export type ServerReport =
  | { readonly type: 'listening'; readonly port: number; readonly version: string }
  | { readonly type: 'memory'; readonly heapBytes: number; readonly rssBytes: number }
  | Failure;

export type LoadCommand =
  | { readonly type: 'connect'; readonly contender: ContenderName; readonly port: number; readonly count: number }
  /** A window begins: messages numbered from `from` on, so many in each turn. */
  | {
      readonly type: 'open';
      readonly contender: ContenderName;
      readonly from: number;
      readonly perTurn: number;
      readonly payloadBytes: number;
    }
  /** The window is over. */
  | { readonly type: 'close'; readonly contender: ContenderName }
  | { readonly type: 'stop' };

export type LoadReport =
  | { readonly type: 'connected' }
  | { readonly type: 'opened' }
  /** Every subscriber has every message of the turn. */
  | { readonly type: 'reached' }
  | { readonly type: 'closed'; readonly received: Received }
  | Failure;

/** What one contender's subscribers took in one window. */
export interface Received {
  /** Of each subscriber: the same for all. */
  readonly messages: number;
  /** Of all subscribers, whatever it was. */
  readonly bytes: number;
  /** Messages whose content was compared. */
  readonly compared: number;
}

interface Failure {
  readonly type: 'failed';
  readonly message: string;
}
