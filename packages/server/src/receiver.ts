import type { SharedLine } from './shared-line.ts';

/** What hub and presence need of a session. `ServerSession` has it. */
export interface Receiver {
  /** Its public name. */
  readonly client: string;
  /** What the application keeps of it. */
  readonly app: object | null;
  /** PROTOCOL §8.10: what is sent to it now would only wait. */
  readonly slow: boolean;
  /** Calls `run` once, at the end of the turn in which it is slow no more; never, if it ends before that. Returns what calls it off. */
  whenDrained(run: () => void): () => void;
  enqueue(line: SharedLine): void;
  sendLoose(line: SharedLine): void;
}
