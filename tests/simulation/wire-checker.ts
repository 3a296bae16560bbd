/** Invariants 2, 5 and 6, read off the bytes between one client and the network. */
import { type Attach, type ClientSession, type Effect, Type, type Welcome } from '@runnel/protocol';
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

interface Numbered {
  readonly sid: string;
  next: number;
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
  /** The welcome that is being handled, and the highest `rx` of its incarnation that was told before. */
  #welcome: { readonly carrier: number; readonly welcome: Welcome; readonly told: number } | null = null;
  #adoptedGen = 0;
  /** Carriers of our incarnation's frames, with the number of the next one on each. */
  readonly #downs = new Map<number, Numbered>();
  readonly #polls = new Set<number>();
  /** The last counted frame of our incarnation that came, and that was not checked yet. */
  #came: { readonly carrier: number; readonly sid: string; readonly n: number } | null = null;
  /** When attaches went up. */
  readonly #attachTimes: number[] = [];

  constructor(coverage: Coverage) {
    this.#coverage = coverage;
  }

  attachesSince(time: number): number {
    return this.#attachTimes.filter((at) => at > time).length;
  }

  /** The most attaches that went up within a minute, from `since` on. */
  busiestMinute(since: number): number {
    const times = this.#attachTimes.filter((at) => at > since);
    let first = 0;
    let most = 0;
    for (const [i, at] of times.entries()) {
      while ((times[first] as number) <= at - 60_000) first += 1;
      most = Math.max(most, i - first + 1);
    }
    return most;
  }

  effect(effect: Effect, now: number): void {
    if (effect.type === 'drop') {
      for (const carriers of [this.#downs, this.#attaches, this.#polls]) carriers.delete(effect.carrier);
      if (this.#came?.carrier === effect.carrier) this.#came = null;
    } else if (effect.type === 'send') this.#sent(effect.carrier, effect.text, now);
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
    else if (typeOf(header) === Type.poll) this.#polls.add(carrier);
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
    this.#attachTimes.push(now);
    this.#coverage.saw(attach.gen === 1 ? 'first attach' : 'switch');
  }

  /** Invariant 12: what a carrier brings is taken, or was known; one that brings what cannot be taken is dropped, and not waited for again and again. */
  check({ sid, ledger }: ClientSession): void {
    const came = this.#came;
    this.#came = null;
    if (came === null || came.sid !== sid) return;
    check(ledger.rx > came.n, 12, () => `frame ${came.n} came on ${came.carrier}, and rx is ${ledger.rx}`);
  }

  /** A line is about to be handled by the client, which is in the incarnation `sid`. */
  line(carrier: number, text: string, sid: string | null): void {
    const type = typeOf(text);
    this.#welcome = null;
    const down = this.#downs.get(carrier);
    if (type >= 16 && down !== undefined) {
      this.#came = { carrier, sid: down.sid, n: down.next };
      down.next += 1;
    }
    switch (type) {
      case Type.welcome: {
        const [, welcome] = JSON.parse(text) as [0, Welcome];
        const { rx, base } = welcome;
        const told = this.#told.get(welcome.sid) ?? 0;
        if (welcome.sid === sid && this.#attaches.has(carrier)) this.#downs.set(carrier, { sid, next: base });
        this.#welcome = { carrier, welcome, told };
        // A proxy may answer with what was meant for another request.
        if (this.#attaches.get(carrier) !== welcome.gen || welcome.cid !== this.#cid) return;
        this.#welcomed = true;
        if (this.#waiting.get(carrier) === welcome.gen) this.#waiting.set(carrier, null);
        if (this.attach !== null && welcome.gen < this.attach.gen) this.#coverage.saw('late welcome');
        this.#told.set(welcome.sid, Math.max(told, rx));
        return;
      }
      case Type.poll:
      case Type.post: {
        const [, told] = JSON.parse(text) as [10, { sid: string; rx: number; base?: number }];
        this.#told.set(told.sid, Math.max(this.#told.get(told.sid) ?? 0, told.rx));
        if (told.base !== undefined && told.sid === sid && this.#polls.has(carrier))
          this.#downs.set(carrier, { sid, next: told.base });
        return;
      }
      case Type.fenced:
        return this.#coverage.saw('fenced');
      case Type.reattach:
        return this.#coverage.saw('reattach');
    }
  }

  /** The client has adopted a welcome: of a later attach than the one before, as it came on the carrier of that attach. */
  adopted(resumed: boolean): void {
    const handled = this.#welcome;
    check(handled !== null, 5, () => 'a welcome was adopted that nobody has seen come');
    if (handled === null) return;
    const { carrier, welcome, told } = handled;
    const { sid, rx, gen } = welcome;
    check(rx >= told, 2, () => `welcome.rx ${rx} of ${sid} was adopted, and ${told} was told before`);
    if (gen < (this.attach?.gen ?? 0)) this.#coverage.saw('earlier welcome');
    check(
      this.#attaches.get(carrier) === gen,
      5,
      () => `welcome ${gen} was adopted on a carrier of ${this.#attaches.get(carrier)}`,
    );
    check(gen > this.#adoptedGen, 5, () => `welcome ${gen} was adopted after ${this.#adoptedGen}`);
    this.#adoptedGen = gen;
    this.#downs.set(carrier, { sid, next: welcome.base });
    if (resumed) this.#coverage.saw('resume');
  }
}
