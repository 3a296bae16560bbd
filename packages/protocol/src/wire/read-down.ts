/** What a client reads. It trusts its server's lengths, but not that what arrives is from it: a proxy's page must not throw a TypeError somewhere inside. */
import { bit, data, type Forms, fields, flag, id, int, list, optional, readFrame, text, tuple } from './checks.ts';
import type { DownFrame } from './frames.ts';

const beat = [int, optional(int)];
const meta = optional(fields({ by: optional(text) }));
const members = optional(list(fields({ id: text, data, connected: flag })));

const FORMS: Forms = {
  0: [
    fields({
      cid: text,
      key: text,
      sid: text,
      was: optional(text),
      node: text,
      gen: int,
      resumed: flag,
      rx: int,
      base: int,
      client: text,
      heartbeatMs: int,
      limits: fields({ messageBytes: int, outboxBytes: int, holdMs: int, dedupMs: int, ttlMs: int }),
      transports: list(text),
    }),
  ],
  1: beat,
  2: beat,
  3: [int],
  4: [text, text, int, optional(int)],
  5: [int],
  7: [text, optional(text)],
  8: [int],
  9: [int, int, data, meta],
  10: [fields({ sid: text, gen: int, n: int, base: int, rx: int })],
  11: [fields({ sid: text, gen: int, rx: int })],
  12: [],
  13: [],
  14: [int],
  15: [int, int],
  16: [int, (value) => int(value) || tuple(int, int)(value), int, data, meta],
  17: [
    id,
    fields({
      n: int,
      epoch: text,
      offset: int,
      head: int,
      recovered: (value) => value === null || flag(value),
      events: list(text),
      snapshot: optional(flag),
      presence: members,
    }),
  ],
  19: [id],
  20: [id, text, text, flag],
  23: [int, int, int],
  24: [int, fields({ joined: members, left: optional(list(text)) })],
  25: [int, data],
  26: [int, text, text],
  27: [id, data],
  30: [bit, text],
};

/**
 * The frame on `line`, or null for a control frame to ignore.
 * @throws RunnelError `protocol_error`, and nothing else whatever the line.
 */
export function readDown(line: string): DownFrame | null {
  return readFrame(line, FORMS) as DownFrame | null;
}
