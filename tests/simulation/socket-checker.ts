/** Invariant 6: what goes up before a welcome, read off the bytes that the client sends. */
import { isCounted, Type } from '@runnel/protocol';
import { check } from './ledger-checker.ts';

export class SocketChecker {
  /** Per socket: the generation attached and not welcomed; null once it was. */
  readonly #waiting = new Map<number, number | null>();
  #welcomed = false;

  sent(socket: number, text: string): void {
    for (const line of text.split('\n')) {
      const frame = JSON.parse(line) as [number, ...unknown[]];
      if (frame[0] === Type.attach) {
        this.#waiting.set(socket, (frame[1] as { gen: number }).gen);
        continue;
      }
      const numbered = isCounted(frame[0]) || frame[0] === Type.ack || (frame[0] <= Type.pong && frame.length > 2);
      if (!numbered) continue;
      check(this.#welcomed, 6, () => `${line} went up before the first welcome`);
      const gen = this.#waiting.get(socket);
      check(gen === null, 6, () => `${line} went up a socket that waits for welcome ${gen}`);
    }
  }

  posted(body: string): void {
    const counted = body.split('\n').some((line) => line !== '' && isCounted((JSON.parse(line) as [number])[0]));
    check(this.#welcomed || !counted, 6, () => 'a counted frame was POSTed before the first welcome');
  }

  received(carrier: number, line: string): void {
    let frame: unknown;
    try {
      frame = JSON.parse(line);
    } catch {
      return;
    }
    if (!Array.isArray(frame) || frame[0] !== Type.welcome) return;
    this.#welcomed = true;
    const { gen } = frame[1] as { gen: number };
    if (this.#waiting.get(carrier) === gen) this.#waiting.set(carrier, null);
  }
}
