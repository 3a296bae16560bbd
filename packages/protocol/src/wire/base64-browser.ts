/** What browsers load in place of `base64.ts` (`imports` of the package), for they have it. */

declare function btoa(binary: string): string;
declare function atob(text: string): string;

/** Bytes per step of encoding: few enough to be arguments of one call. */
const STEP = 8_192;

export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let start = 0; start < bytes.length; start += STEP)
    binary += String.fromCharCode(...bytes.subarray(start, start + STEP));
  return btoa(binary);
}

/** The bytes of a base64 text, or null where it is none. */
export function fromBase64(text: string): Uint8Array | null {
  // `atob` forgives blanks, and padding that is missing.
  if (text.length % 4 || !/^[A-Za-z\d+/]*={0,2}$/.test(text)) return null;
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
