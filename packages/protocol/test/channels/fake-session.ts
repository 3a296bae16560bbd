import { ClientChannels } from '../../src/channels/client-channels.ts';
import type { EventMeta, Gap, SubscriptionListener, SubscriptionState } from '../../src/channels/subscription.ts';
import type { RunnelError } from '../../src/errors.ts';
import type { SessionPort } from '../../src/session/client/ports.ts';
import type { Line } from '../../src/session/ledger.ts';
import { FragmentJoiner } from '../../src/wire/fragments.ts';
import type {
  AttachSub,
  DownFrame,
  FragmentFrame,
  Position,
  PresenceEntry,
  Subscribed,
  Transport,
  WelcomeLimits,
} from '../../src/wire/frames.ts';

export type Sent = readonly [type: number, ...unknown[]];

/** A session that takes frames whenever it is told to, and the channels above it, at a time that only the test moves. */
export class FakeSession implements SessionPort {
  ready = false;
  /** Whether what may be lost waits. */
  holdsLoose = false;
  /** Called by `flush`, where a session tells its state. */
  onFlush: () => void = () => {};
  client: string | null = null;
  limits: WelcomeLimits = {
    messageBytes: 1_000,
    outboxBytes: 100_000,
    holdMs: 25_000,
    dedupMs: 60_000,
    ttlMs: 120_000,
  };
  /** Whether the outbox takes nothing more. */
  full = false;
  /** How many times the channels had what was taken sent. */
  flushes = 0;
  now = 1_000;
  refreshes = 0;
  readonly channels: ClientChannels;
  /** Frames taken since `takeSent`, fragments put together. */
  #sent: Sent[] = [];
  #loose: Sent[] = [];
  #joiner = new FragmentJoiner(10_000_000);
  #incarnations = 0;

  constructor() {
    this.channels = new ClientChannels({
      random: () => 0.5,
      onState: () => {},
      onAttempt: () => {},
      onRefresh: () => {
        this.refreshes += 1;
      },
    });
    this.channels.bind(this);
  }

  get transport(): Transport | null {
    return this.ready ? 'websocket' : null;
  }

  flush(): void {
    this.flushes += 1;
    this.onFlush();
  }

  send(lines: readonly Line[]): boolean {
    if (!this.ready) throw new Error('nothing is sent before there is a session');
    if (this.full) return false;
    for (const { text, size } of lines) {
      if (size !== Buffer.byteLength(text) + 1) throw new Error(`size ${size} of ${text}`);
      const frame = JSON.parse(text) as Sent;
      const whole = frame[0] === 30 ? this.#joiner.push(frame as unknown as FragmentFrame) : text;
      if (whole !== null) this.#sent.push(JSON.parse(whole) as Sent);
    }
    return true;
  }

  sendLoose({ text }: Line): boolean {
    if (this.ready && !this.full) this.#loose.push(JSON.parse(text) as Sent);
    return this.ready && !this.full;
  }

  takeSent(): Sent[] {
    const sent = this.#sent;
    this.#sent = [];
    return sent;
  }

  takeLoose(): Sent[] {
    const loose = this.#loose;
    this.#loose = [];
    return loose;
  }

  /** Time passes, and the channels are steered as a driver would. */
  pass(ms = 0): void {
    this.now += ms;
    this.channels.steer(this.now);
  }

  /** A welcome with a new incarnation, for an attach with `subs`. */
  attach(subs: readonly AttachSub[] = this.channels.subs()): readonly AttachSub[] {
    this.channels.steer(this.now);
    this.#incarnations += 1;
    this.ready = true;
    this.client = `client-${this.#incarnations}`;
    this.channels.attached(subs);
    this.channels.steer(this.now);
    return subs;
  }

  resume(): void {
    this.channels.attached(null);
    this.channels.steer(this.now);
  }

  /** The incarnation is over, and no other was found yet. */
  lose(): void {
    this.ready = false;
    this.channels.lost();
    this.channels.steer(this.now);
  }

  close(reason = 'enough'): void {
    this.ready = false;
    this.channels.state({ status: 'closed', willReconnect: false, code: 'kicked', reason });
    this.channels.steer(this.now);
  }

  receive(...frames: DownFrame[]): void {
    for (const frame of frames) this.channels.frame(frame as never);
    this.channels.steer(this.now);
  }

  /** Answers subscribe `id`. */
  subscribed(id: number, answer: Partial<Subscribed> & { head?: number } = {}): void {
    this.receive([
      17,
      id,
      { n: 1, epoch: 'e', offset: 0, head: 0, recovered: null, events: ['said', 'seen'], ...answer },
    ]);
  }

  publish(data: unknown, options: { channel?: string; timeoutMs?: number } = {}): Outcome {
    return this.#call({ idemKey: `key-${JSON.stringify(data)}` }, 'said', data, options);
  }

  request(data: unknown, options: { channel?: string; timeoutMs?: number } = {}): Outcome {
    return this.#call({}, 'ask', data, options);
  }

  /** A request whose answer is streamed; its parts are among the results. */
  stream(data: unknown, credit: number, options: { timeoutMs?: number } = {}): Outcome {
    return this.#call({ credit }, 'ask', data, options);
  }

  #call(
    { idemKey, credit }: { idemKey?: string; credit?: number },
    name: string,
    data: unknown,
    { channel = 'room', timeoutMs = 15_000 }: { channel?: string; timeoutMs?: number },
  ): Outcome {
    const results: unknown[] = [];
    const outcome: { onSettled?: () => void } = {};
    const settle = (error: RunnelError | null, data?: unknown) => {
      results.push(error === null ? { data } : error.code);
      outcome.onSettled?.();
    };
    const kind = {
      ...(idemKey === undefined ? {} : { idemKey }),
      ...(credit === undefined ? {} : { stream: { credit, onPart: (part: unknown) => results.push({ part }) } }),
    };
    const call = this.channels.call(
      { ...kind, channel, name, data: JSON.stringify(data), timeoutMs, settle },
      this.now,
    );
    const cancel = () => this.channels.cancel(call);
    return Object.assign(outcome, {
      results,
      cancel,
      allow: (parts: number) => this.channels.allow(call, parts, this.now),
    });
  }
}

/** What a call was settled with, each time it was: a code, or what it answered. */
export interface Outcome {
  readonly results: readonly unknown[];
  readonly cancel: () => void;
  /** Of a streamed answer. */
  readonly allow: (parts: number) => void;
  /** Called when it is settled. */
  onSettled?: () => void;
}

/** Everything that a subscription tells. */
export class Recorder implements SubscriptionListener {
  readonly states: SubscriptionState[] = [];
  readonly messages: { event: string; data: unknown; meta: EventMeta }[] = [];
  readonly gaps: Gap[] = [];
  readonly snapshots: { data: unknown; position: Position }[] = [];
  members: PresenceEntry[] = [];
  /** Called with each state. */
  onState: (state: SubscriptionState) => void = () => {};

  state(state: SubscriptionState): void {
    this.states.push(state);
    this.onState(state);
  }
  message(event: string, data: unknown, meta: EventMeta): void {
    this.messages.push({ event, data, meta });
  }
  gap(gap: Gap): void {
    this.gaps.push(gap);
  }
  snapshot(data: unknown, position: Position): void {
    this.snapshots.push({ data, position });
  }
  presence(members: ReadonlyMap<string, PresenceEntry>): void {
    this.members = [...members.values()];
  }
  get data(): unknown[] {
    return this.messages.map(({ data }) => data);
  }
  get statuses(): string[] {
    return this.states.map(({ status }) => status);
  }
}
