/** A counted frame that waits to be sent, whole or in fragments. */
import { DEFAULT_LIMITS } from '../limits.ts';
import type { Line } from '../session/ledger.ts';
import { utf8Length } from '../wire/utf8.ts';
import { splitLine } from '../wire/write.ts';

export interface Parcel {
  readonly lines: readonly Line[];
  /** Called when the session has taken the lines; where it has not, another parcel is made later. */
  readonly sent: () => void;
}

export function toLine(text: string): Line {
  return { text, size: utf8Length(text) + 1 };
}

export function toParcel(text: string, sent: () => void): Parcel {
  return { lines: splitLine(text, DEFAULT_LIMITS).map(toLine), sent };
}
