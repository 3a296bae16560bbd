import type { Findings } from '../findings.ts';
import type { Stage } from '../stage.ts';

export interface Workload {
  /** For `--only`. */
  readonly name: string;
  readonly title: string;
  /** What one operation is, and what is not obvious of how it is measured. */
  readonly about: string;
  /** Whether it is part of a quick run. */
  readonly quick: boolean;
  run(stage: Stage): Promise<Findings>;
}
