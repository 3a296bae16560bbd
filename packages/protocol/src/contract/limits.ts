import { NAME_LIMITS } from '../limits.ts';

/** The bounds that a contract and its channel names keep. Lengths are in UTF-16 units, durations in milliseconds. */
export interface ContractLimits {
  /** Length of an event, publish, request or error name, and of one segment of a pattern. */
  readonly nameLengthMax: number;
  /** Length of a concrete channel name, its parameters percent-encoded. */
  readonly channelNameLengthMax: number;
  /** Segments of a pattern: `a/:b/c` has three. */
  readonly patternSegmentsMax: number;
  /** Patterns of one contract. */
  readonly patternsMax: number;
  /** Entries of each of a channel's `events`, `publish` and `requests`, and of a request's `errors`. */
  readonly declarationsMax: number;
  /** Messages that a channel's history may keep. */
  readonly historySizeMax: number;
  /** How long a channel's history may keep a message: 365 days. */
  readonly historyTtlMsMax: number;
  /** Issues reported for one refused payload. */
  readonly issuesMax: number;
  /** Length of one issue's message; a longer one is cut and ends in `…`. */
  readonly issueMessageLengthMax: number;
  /** Segments of one issue's path; deeper ones are left out. */
  readonly issuePathMax: number;
}

/** The bounds in force. They are part of the protocol's contract with apps, not options. */
export const contractLimits: ContractLimits = Object.freeze({
  nameLengthMax: NAME_LIMITS.name,
  channelNameLengthMax: NAME_LIMITS.channel,
  patternSegmentsMax: 16,
  patternsMax: 1_000,
  declarationsMax: 256,
  historySizeMax: 10_000,
  historyTtlMsMax: 365 * 24 * 60 * 60 * 1_000,
  issuesMax: 16,
  issueMessageLengthMax: 256,
  issuePathMax: 16,
});
