import type { SharedLine } from './shared-line.ts';

/** What hub and presence need of a session. `ServerSession` has it. */
export interface Receiver {
  /** Its public name. */
  readonly client: string;
  readonly ledger: { readonly bytes: number; readonly tx: number; readonly ob: number };
  enqueue(line: SharedLine): void;
  sendLoose(line: SharedLine): void;
}
