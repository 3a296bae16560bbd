/** How many bytes `text` takes in UTF-8. A lone surrogate counts as the three bytes of U+FFFD, which is what encoders write for it. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    // Two bytes more than its two units is all that a pair takes, so its second half adds nothing.
    if (isPair(unit, text.charCodeAt(i + 1))) i++;
  }
  return bytes;
}

/** Whether two adjacent UTF-16 units are the halves of one character. */
export function isPair(high: number, low: number): boolean {
  return (high & 0xfc00) === 0xd800 && (low & 0xfc00) === 0xdc00;
}

/** Whether `text` takes at most `bytesMax` bytes in UTF-8; counts only where the number of units leaves it open. */
export function fitsUtf8(text: string, bytesMax: number): boolean {
  return text.length * 3 <= bytesMax || (text.length <= bytesMax && utf8Length(text) <= bytesMax);
}
