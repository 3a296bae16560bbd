import fc from 'fast-check';

/** Strings with everything that is awkward on a wire: escapes, control characters, pairs, and halves of pairs. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc
    .array(
      fc.constantFrom('a', 'é', '漢', '\u{1f600}', '\ud83d', '\ude00', '"', '\\', '\n', '\u0000', '\u2028', '$', '$b'),
    )
    .map((units) => units.join('')),
);

const keys = fc.oneof(
  anyText,
  fc.constantFrom('$b', '$$b', '$$$b', '$', 'b$b', '$bb', '__proto__', 'constructor', 'toJSON'),
);

/** Payloads as an application may give them: JSON, bytes anywhere, keys that collide with the encoding or with Object.prototype. */
export const anyPayload: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom(null, true, false, 0, 1.5, -7, 1e300, Number.MAX_SAFE_INTEGER),
    anyText,
    fc.uint8Array(),
    fc.array(tie('value'), { maxLength: 5 }),
    // fromEntries makes `__proto__` an own key, as JSON.parse does.
    fc.array(fc.tuple(keys, tie('value')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
  ),
})).value;

/** `text` cut at random places. */
export function chunked(text: string): fc.Arbitrary<string[]> {
  return fc.array(fc.nat({ max: text.length }), { maxLength: 20 }).map((cuts) => {
    const places = [0, ...cuts.sort((a, b) => a - b), text.length];
    return places.slice(1).map((end, i) => text.slice(places[i], end));
  });
}
