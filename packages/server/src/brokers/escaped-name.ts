/**
 * A name that comes from elsewhere, for use in a key, a subject or an id of a broker: injective, so that no two channels ever share a log,
 * and without spaces, control characters, `.`, `*`, `>`, braces, and halves of surrogate pairs, which UTF-8 cannot carry.
 */
export function escapedName(name: string): string {
  return name.replace(/[%.*>{}\p{Z}\p{Cc}\p{Cs}]/gu, escaped);
}

/** The name behind an escaped one. */
export function unescapedName(text: string): string {
  return text.replace(/%([0-9a-f]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

/** None of the characters is beyond the first plane. */
const escaped = (character: string): string => `%${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
