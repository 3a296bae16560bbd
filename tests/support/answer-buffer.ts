/**
 * Puts HTTP/1.1 answers together before they are passed on, as a proxy does that buffers: nothing of an answer goes out before its last byte has come in.
 * What follows a switch of protocols passes at once.
 */
export class AnswerBuffer {
  #held: Buffer = Buffer.alloc(0);
  #transparent = false;

  /** The whole answers that `bytes` complete. */
  push(bytes: Buffer): Buffer[] {
    if (this.#transparent) return [bytes];
    this.#held = Buffer.concat([this.#held, bytes]);
    const whole: Buffer[] = [];
    for (let length = this.#answerLength(); length > 0; length = this.#answerLength()) {
      whole.push(this.#held.subarray(0, length));
      this.#held = this.#held.subarray(length);
    }
    return whole;
  }

  /** Bytes of the first answer that is held; 0 while it is not whole. */
  #answerLength(): number {
    const headEnd = this.#held.indexOf('\r\n\r\n');
    if (headEnd < 0) return 0;
    const head = this.#held.subarray(0, headEnd).toString('latin1').toLowerCase();
    const bodyAt = headEnd + 4;
    if (head.startsWith('http/1.1 101')) {
      this.#transparent = true;
      return this.#held.length;
    }
    if (/^http\/1\.1 (1\d\d|204|304)/.test(head)) return bodyAt;
    if (head.includes('\r\ntransfer-encoding: chunked')) {
      const end = this.#held.indexOf('\r\n0\r\n\r\n', headEnd);
      return end < 0 ? 0 : end + 7;
    }
    const length = bodyAt + Number(/\r\ncontent-length: (\d+)/.exec(head)?.[1] ?? 0);
    return this.#held.length < length ? 0 : length;
  }
}
