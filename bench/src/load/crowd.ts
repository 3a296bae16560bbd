/** All clients of one contender: connects them, counts and compares what they get, and has them call. */
import { Layout } from '../layout.ts';
import type { CrowdShape, LoadCommand, LoadReport, Received } from '../messages.ts';
import { nowUs, numberIn, payloadText, sentAtIn } from '../payload.ts';
import { Member } from './member.ts';
import { clientClass } from './roster.ts';

/** Handshakes under way at once. */
const CONNECTING_MAX = 256;
/** One client in so many compares what it gets. */
const SAMPLE_EVERY = 50;

type Command<Type> = Extract<LoadCommand, { readonly type: Type }>;
export type Window = Command<'open'>;

export class Crowd {
  readonly #shape: CrowdShape;
  readonly #layout: Layout;
  readonly #report: (report: LoadReport) => void;
  readonly #members: Member[] = [];
  /** The window under way, or the last one. */
  #window: Window | null = null;
  #deliveries = 0;
  /** When so many deliveries have come, that is reported. */
  #target = Number.POSITIVE_INFINITY;
  #bytes = 0;
  #compared = 0;
  #latenciesUs: number[] = [];
  /** The first channel that belongs to nobody. */
  #nextChannel: number;

  constructor(shape: CrowdShape, report: (report: LoadReport) => void) {
    this.#shape = shape;
    this.#layout = new Layout(shape.layout);
    this.#nextChannel = this.#layout.channels;
    this.#report = report;
  }

  /** Resolves when `count` more are subscribed. */
  async connect(count: number): Promise<void> {
    const until = this.#members.length + count;
    const connectOnes = async (): Promise<void> => {
      while (this.#members.length < until) await this.#connectOne(this.#members.length);
    };
    await Promise.all(Array.from({ length: CONNECTING_MAX }, connectOnes));
  }

  disconnect(): void {
    for (const { client } of this.#members.splice(0)) client.close();
  }

  async subscribe(perConnection: number): Promise<void> {
    await Promise.all(
      this.#members.map((member) => {
        member.client.subscribe?.(Array.from({ length: perConnection }, () => this.#nextChannel++));
        return member.whenReady();
      }),
    );
  }

  open(window: Window): void {
    this.#window = window;
    this.#deliveries = 0;
    this.#target = window.burst ?? Number.POSITIVE_INFINITY;
    this.#bytes = 0;
    this.#compared = 0;
    this.#latenciesUs = [];
    for (const member of this.#members) member.open();
  }

  expect(deliveries: number): void {
    this.#target = deliveries;
    if (this.#deliveries >= deliveries) this.#reached();
  }

  /** @throws where one subscriber of the only channel has more or fewer messages than another */
  close(): Received {
    this.#window = null;
    if (this.#layout.channels === 1) {
      const [first] = this.#members;
      const odd = this.#members.find(({ taken }) => taken !== first?.taken);
      if (odd !== undefined) throw new Error(`client ${odd.index} got ${odd.taken} messages, client 0 ${first?.taken}`);
    }
    const latenciesUs = this.#latenciesUs;
    return { deliveries: this.#deliveries, bytes: this.#bytes, compared: this.#compared, latenciesUs };
  }

  /** Calls until the time is over and the last answer has come. */
  async call(command: Command<'call'>): Promise<{ readonly calls: number; readonly compared: number }> {
    const { kind, inFlight, ms, from, payloadBytes } = command;
    const until = performance.now() + ms;
    let calls = 0;
    let compared = 0;
    const callOn = async (member: Member): Promise<void> => {
      while (performance.now() < until) {
        const n = from + calls;
        calls += 1;
        const { bytes, end } = await member.call(kind, n, payloadText(n, payloadBytes));
        if (kind !== 'request' || !member.sampled) continue;
        // Answers to requests come in the order of the requests: the servers answer at once.
        const found = bytes.toString('utf8', end - payloadBytes, end);
        if (found !== payloadText(n, payloadBytes)) throw new Error(`request ${n} was answered with ${found}`);
        compared += 1;
      }
    };
    await Promise.all(this.#members.flatMap((member) => Array.from({ length: inFlight }, () => callOn(member))));
    return { calls, compared };
  }

  fail(message: string): void {
    this.#report({ type: 'failed', message: `${this.#shape.contender}: ${message}` });
  }

  received(bytes: number): void {
    this.#bytes += bytes;
  }

  message(): void {
    this.#deliveries += 1;
    if (this.#deliveries < this.#target) return;
    if (this.#deliveries > this.#target && this.#window?.burst !== null)
      this.fail(`${this.#deliveries} messages came where ${this.#target} were sent`);
    this.#reached();
  }

  /** Compares a message of a sampled member with what was sent. */
  compare(member: Member, bytes: Buffer, end: number): void {
    const window = this.#window;
    if (window === null) return this.fail(`a message came between windows: ${bytes.toString('utf8', 0, end)}`);
    const { from, payloadBytes, channels, timed, burst } = window;
    const start = end - payloadBytes;
    const n = numberIn(bytes, start);
    const found = (): string => bytes.toString('utf8', Math.max(start, 0), end);
    if (!(n >= from)) return this.fail(`client ${member.index} got ${found()}`);
    this.#compared += 1;
    if (timed && member.index === 0) this.#latenciesUs.push(nowUs() - sentAtIn(bytes, start));
    else if (!timed && payloadText(n, payloadBytes) !== found()) return this.fail(`message ${n} is ${found()}`);
    // What clients publish comes in no order, and to no channel, that is known here.
    if (burst === null && !timed) return;
    const channel = this.#layout.channelOf(n);
    if (!member.channels.has(channel))
      return this.fail(`client ${member.index} got message ${n} of channel ${channel}`);
    const expected = member.next.get(channel) ?? n;
    if (n !== expected || (!member.next.has(channel) && n - from >= channels))
      this.fail(`client ${member.index} got message ${n} where ${expected} was due`);
    member.next.set(channel, n + channels);
  }

  #reached(): void {
    const burst = this.#window?.burst ?? null;
    this.#target = burst === null ? Number.POSITIVE_INFINITY : this.#target + burst;
    this.#report({ type: 'reached' });
  }

  #connectOne(index: number): Promise<void> {
    const { contender, carrier, ports, astray, deflate, isLobby, layout } = this.#shape;
    const portOf = (at: number): number => ports[at % ports.length] as number;
    const member = new Member({
      ...{ crowd: this, ClientOf: clientClass(contender, carrier), index, port: portOf(index), deflate },
      postPort: portOf(astray ? index + 1 : index),
      channels: isLobby ? [] : this.#layout.channelsOf(index % layout.connections),
      sampled: index % SAMPLE_EVERY === 0,
    });
    this.#members[index] = member;
    return member.whenReady();
  }
}
