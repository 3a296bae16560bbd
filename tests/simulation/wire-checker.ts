/** Invariants 2, 5 and 6, read off the bytes between one client and the network. */
import { type Attach, type Effect, Type, type Welcome } from '@runnel/protocol';
import type { Coverage } from './coverage.ts';
import { check } from './violation.ts';

const COMMA = 0x2c;
const BRACKET = 0x5d;

/** The type of a line's frame: the one or two digits after its bracket. -1: it is no frame of ours. */
export function typeOf(line: string): number {
  const first = line.charCodeAt(1) - 0x30;
  if (!(first >= 0 && first <= 9)) return -1;
  const next = line.charCodeAt(2);
  return next === COMMA || next === BRACKET ? first : first * 10 + next - 0x30;
}

export class WireChecker {
  readonly #coverage: Coverage;
  /** Per socket: the generation attached and not welcomed; null once it was. Sockets that never attached are not in it. */
  readonly #waiting = new Map<number, number | null>();
  /** Carriers of attaches, with their generations. */
  readonly #attaches = new Map<number, number>();
  /** Highest `rx` that the server has told, per incarnation. */
  readonly #told = new Map<string, number>();
  #welcomed = false;
  #cid = '';
  /** The last attach sent; null before the first. */
  attach: Attach | null = null;
  /** The welcome that is being handled. */
  #welcome: { readonly carrier: number; readonly welcome: Welcome } | null = null;
  #adoptedGen = 0;
  /** When attaches went up. */
  readonly attachTimes: number[] = [];

  constructor(coverage: Coverage) {
    this.#coverage = coverage;
  }

  effect(effect: Effect, now: number): void {
    if (effect.type === 'send') this.#sent(effect.carrier, effect.text, now);
    else if (effect.type === 'request') this.#posted(effect.carrier, effect.body, now);
  }

  #sent(socket: number, text: string, now: number): void {
    for (const line of text.includes('\n') ? text.split('\n') : [text]) {
      const type = typeOf(line);
      if (type === Type.attach) {
        this.#attached(socket, line, now);
        this.#waiting.set(socket, this.#attaches.get(socket) as number);
        continue;
      }
      const numbered = type >= 16 || type === Type.ack || (type <= Type.pong && line.split(',').length > 2);
      if (!numbered) continue;
      check(this.#welcomed, 6, () => `${line} went up before the first welcome`);
      const gen = this.#waiting.get(socket);
      check(gen === null, 6, () => `${line} went up a socket that waits for welcome ${gen}`);
    }
  }

  #posted(carrier: number, body: string, now: number): void {
    const first = body.indexOf('\n');
    const header = body.slice(0, first);
    if (typeOf(header) === Type.attach) this.#attached(carrier, header, now);
    if (this.#welcomed) return;
    const counted = body.split('\n').some((line) => typeOf(line) >= 16);
    check(!counted, 6, () => 'a counted frame was POSTed before the first welcome');
  }

  /** SESSION C2: each attach sent has the next generation. */
  #attached(carrier: number, line: string, now: number): void {
    const [, attach] = JSON.parse(line) as [0, Attach];
    if (attach.cid !== this.#cid) {
      if (this.#cid !== '') this.#coverage.saw('new client name');
      this.#cid = attach.cid;
      this.#adoptedGen = 0;
      this.#welcomed = false;
      check(attach.gen === 1 && attach.key === undefined, 5, () => `a new client began with ${line}`);
    } else {
      const due = (this.attach?.gen ?? 0) + 1;
      check(attach.gen === due, 5, () => `attach of gen ${attach.gen} where ${due} was due`);
    }
    this.attach = attach;
    this.#attaches.set(carrier, attach.gen);
    this.attachTimes.push(now);
    this.#coverage.saw(attach.gen === 1 ? 'first attach' : 'switch');
  }

  /** A line is about to be handled by the client. */
  line(carrier: number, text: string): void {
    const type = typeOf(text);
    this.#welcome = null;
    switch (type) {
      case Type.welcome: {
        const [, welcome] = JSON.parse(text) as [0, Welcome];
        this.#welcome = { carrier, welcome };
        // A proxy may answer with what was meant for another request.
        if (this.#attaches.get(carrier) !== welcome.gen || welcome.cid !== this.#cid) return;
        this.#welcomed = true;
        if (this.#waiting.get(carrier) === welcome.gen) this.#waiting.set(carrier, null);
        if (this.attach !== null && welcome.gen < this.attach.gen) this.#coverage.saw('late welcome');
        const { sid, rx } = welcome;
        const told = this.#told.get(sid) ?? 0;
        // A welcome that was overtaken says what was true when it was sent.
        check(
          rx >= told || welcome.gen !== this.attach?.gen,
          2,
          () => `welcome.rx ${rx} of ${sid}, and ${told} was told before`,
        );
        this.#told.set(sid, Math.max(told, rx));
        return;
      }
      case Type.poll:
      case Type.post: {
        const [, { sid, rx }] = JSON.parse(text) as [10, { sid: string; rx: number }];
        this.#told.set(sid, Math.max(this.#told.get(sid) ?? 0, rx));
        return;
      }
      case Type.fenced:
        return this.#coverage.saw('fenced');
      case Type.reattach:
        return this.#coverage.saw('reattach');
    }
  }

  /** The client has adopted a welcome. SESSION C3: that of the last attach sent, as it came on the carrier of that attach. */
  adopted(resumed: boolean): void {
    const handled = this.#welcome;
    check(handled !== null, 5, () => 'a welcome was adopted that nobody has seen come');
    if (handled === null) return;
    const { carrier, welcome } = handled;
    const last = this.attach?.gen ?? 0;
    check(welcome.gen === last, 5, () => `welcome ${welcome.gen} was adopted, and the last attach sent was ${last}`);
    check(
      this.#attaches.get(carrier) === welcome.gen,
      5,
      () => `welcome ${welcome.gen} was adopted on a carrier of ${this.#attaches.get(carrier)}`,
    );
    check(welcome.gen > this.#adoptedGen, 5, () => `welcome ${welcome.gen} was adopted after ${this.#adoptedGen}`);
    this.#adoptedGen = welcome.gen;
    if (resumed) this.#coverage.saw('resume');
  }
}
