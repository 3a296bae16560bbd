/** How long and how large a run is. */
export interface Pace {
  readonly name: 'full' | 'quick' | 'smoke';
  /** How often each contender takes its window, if time allows. */
  readonly rounds: number;
  /** On a busy machine no further round of a case begins after this, ms. */
  readonly caseMs: number;
  readonly windowMs: number;
  /** CPU time that each server gets before, uncounted, for the compiler to settle. */
  readonly warmUpMs: number;
  /** How long idle connections are left alone before memory is looked at, ms. */
  readonly settleMs: number;
  /** Then how long until V8 gives back what it does not need, ms. */
  readonly quietMs: number;
  /** No workload has more connections. */
  readonly connectionsMax: number;
  /** The run is given up after this. */
  readonly limitMs: number;
}

export const paces: { readonly [name in Pace['name']]: Pace } = {
  full: {
    name: 'full',
    rounds: 7,
    caseMs: 12_000,
    windowMs: 300,
    warmUpMs: 500,
    settleMs: 1_000,
    quietMs: 5_200,
    connectionsMax: 10_000,
    limitMs: 2_400_000,
  },
  quick: {
    name: 'quick',
    rounds: 5,
    caseMs: 4_000,
    windowMs: 120,
    warmUpMs: 250,
    settleMs: 300,
    quietMs: 0,
    connectionsMax: 1_000,
    limitMs: 180_000,
  },
  smoke: {
    name: 'smoke',
    rounds: 1,
    caseMs: 5_000,
    windowMs: 20,
    warmUpMs: 5,
    settleMs: 20,
    quietMs: 0,
    connectionsMax: 20,
    limitMs: 240_000,
  },
};
