/**
 * What a server reads: from anyone. Every element of the envelope is held to its type and bound, because nothing behind this file checks them again.
 * Names of channels, events and methods are not bounded here: one that is too long is answered by an error frame (PROTOCOL §3) and does not end the session.
 */
import { RunnelError } from '../errors.ts';
import { type Limits, NAME_LIMITS } from '../limits.ts';
import { PAYLOAD_LEVELS_MAX } from './binary.ts';
import {
  bit,
  type Check,
  data,
  type Forms,
  fields,
  flag,
  id,
  int,
  list,
  optional,
  readFrame,
  text,
  tuple,
} from './checks.ts';
import { type Attach, PROTOCOL_VERSION, TRANSPORTS, type UpFrame } from './frames.ts';
import { fitsUtf8 } from './utf8.ts';
import { violation } from './violation.ts';
import { encodeData } from './write.ts';

/** A string that may be empty but is bounded and prints on one line of a log. */
const name =
  (charsMax: number): Check =>
  (value) =>
    typeof value === 'string' && value.length <= charsMax && !/\p{Cc}/u.test(value);
const node = name(NAME_LIMITS.token);
const token: Check = (value) => value !== '' && node(value);
const boundedKey = name(NAME_LIMITS.key);
const key: Check = (value) => value !== '' && boundedKey(value);

const beat = [int, optional(int)];
const subscribeOptions = fields({ since: optional(fields({ epoch: node, offset: int })), rewind: optional(int) });

/** PROTOCOL §4.0: a newer version may have other fields, so they are looked at only when the version is ours. */
const version = fields({ v: int });
const attach = fields({
  cid: token,
  key: optional(key),
  node: optional(node),
  gen: int,
  rx: int,
  mode: (value) => (TRANSPORTS as readonly unknown[]).includes(value),
  hold: optional(int),
  subs: optional(list(tuple(id, text, subscribeOptions))),
});

const FORMS: Forms = {
  0: [version],
  1: beat,
  2: beat,
  3: [int],
  4: [text, text, int, optional(int)],
  6: [token],
  9: [text, text, data],
  10: [fields({ key, node, gen: int, n: int, rx: int, hold: int })],
  11: [fields({ key, node, gen: int, n: int, base: int, rx: optional(int) })],
  12: [token],
  18: [id, text, text, data, optional(int), optional(fields({ credit: optional(id), again: optional(flag) }))],
  21: [id],
  22: [id, text, text, data, token],
  27: [id, id],
  28: [id, text, subscribeOptions],
  29: [text],
  30: [bit, text],
};

/**
 * The frame on `line`, or null for a control frame to ignore.
 * @throws RunnelError, and nothing else whatever the line: `version_unsupported` for an attach of another version, else `protocol_error`.
 */
export function readUp(line: string, limits: Pick<Limits, 'authBytes'>): UpFrame | null {
  checkLevels(line);
  const frame = readFrame(line, FORMS) as UpFrame | null;
  if (frame?.[0] === 0) checkAttach(frame[1], limits.authBytes);
  return frame;
}

function checkAttach(value: Attach, authBytes: number): void {
  if (value.v !== PROTOCOL_VERSION)
    throw new RunnelError(
      'version_unsupported',
      `Protocol version ${value.v} is not spoken here, only ${PROTOCOL_VERSION}.`,
    );
  if (!attach(value)) throw violation('A field of an attach is missing or not valid.');
  if (value.auth !== undefined && !fitsUtf8(encodeData(value.auth), authBytes))
    throw violation(`The auth of an attach is longer than ${authBytes} bytes.`);
}

/**
 * Refuses a line whose payload nests deeper than `encodeFrame` lets it. JSON.parse would not mind, but whatever walks the payload afterwards, in the
 * application or in here, may run out of stack. Counted in the text, before anything is built from it.
 */
function checkLevels(line: string): void {
  if (line.length <= 2 * PAYLOAD_LEVELS_MAX) return;
  let depth = 0;
  for (let i = 0; i < line.length; i++) {
    const unit = line.charCodeAt(i);
    if (unit === 0x22 /* " */) {
      for (i++; i < line.length && line.charCodeAt(i) !== 0x22; i++) if (line.charCodeAt(i) === 0x5c /* \ */) i++;
    } else if ((unit | 0x20) === 0x7b /* [ { */) {
      if (++depth > PAYLOAD_LEVELS_MAX + 1) throw violation('A frame nests too deep.');
    } else if ((unit | 0x20) === 0x7d /* ] } */) depth--;
  }
}
