const REASON_CHARS_MAX = 512;

/** PROTOCOL §2: a control frame cannot be cut into fragments, so what people read in it is short. */
export const clipReason = (reason: string): string => reason.slice(0, REASON_CHARS_MAX);
