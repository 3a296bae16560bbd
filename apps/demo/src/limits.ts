/** The bounds of the demo, used by the contract and by the page's inputs. Lengths are UTF-16 units. */
export const demoLimits = {
  nameLengthMax: 32,
  textLengthMax: 2_000,
  alertLengthMax: 280,
  /** Messages of a flow test, each way. */
  flowCountMax: 100_000,
  flowPerSecondMax: 5_000,
} as const;
