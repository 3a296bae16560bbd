/** Base64 of RFC 4648 §4, with padding. The package has neither `btoa` nor `Buffer`: it compiles without DOM and Node. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Bytes per step of encoding: a multiple of three, and few enough to be arguments of one call. */
const STEP = 6_144;

const codes: number[] = [];
const values: number[] = [];
for (let value = 0; value < 64; value++) {
  codes[value] = ALPHABET.charCodeAt(value);
  values[ALPHABET.charCodeAt(value)] = value;
}

export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let start = 0; start < bytes.length; start += STEP) {
    const end = Math.min(start + STEP, bytes.length);
    const out: number[] = [];
    for (let i = start; i < end; i += 3) {
      // Beyond the end an element is undefined, which the operators read as 0.
      const bits = ((bytes[i] as number) << 16) | ((bytes[i + 1] as number) << 8) | (bytes[i + 2] as number);
      for (let shift = 18; shift >= 0; shift -= 6) out.push(codes[(bits >> shift) & 63] as number);
    }
    text += String.fromCharCode(...out);
  }
  const padding = (3 - (bytes.length % 3)) % 3;
  return padding ? text.slice(0, -padding) + '='.repeat(padding) : text;
}

/** The bytes of a base64 text, or null where it is none. */
export function fromBase64(text: string): Uint8Array | null {
  if (text.length % 4) return null;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  const end = text.length - padding;
  let at = 0;
  let bits = 0;
  for (let i = 0; i < end; i++) {
    const value = values[text.charCodeAt(i)];
    if (value === undefined) return null;
    bits = (bits << 6) | value;
    // Of every four characters the first completes no byte; the others complete one each.
    const left = 6 - 2 * (i & 3);
    if (left < 6) bytes[at++] = bits >> left;
  }
  return bytes;
}
