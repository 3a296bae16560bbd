/** What a workload has found. */

/** One figure of each contender, by label, measured side by side. */
export type Round = ReadonlyMap<string, number>;

export interface Target {
  readonly of: string;
  /** Whose multiple `max` is; null: it is a figure by itself. */
  readonly to: string | null;
  readonly max: number;
  /** What would be better still. */
  readonly aim?: number;
  /** Who does the least that anybody on this platform can do. */
  readonly floor?: string;
}

export interface Case {
  readonly name: string;
  /** Of the figures, such as `µs CPU per delivered message`. */
  readonly unit: string;
  /** Whom the others are compared with; null where figures stand by themselves. */
  readonly baseline: string | null;
  readonly rounds: readonly Round[];
  readonly targets: readonly Target[];
  /** Messages or answers whose content was compared with what was sent. */
  readonly compared: number;
  /** What the reader has to know of it. */
  readonly note?: string;
}

export interface Series {
  readonly label: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Plot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
}

export interface Findings {
  readonly cases: readonly Case[];
  readonly plots?: readonly Plot[];
}
