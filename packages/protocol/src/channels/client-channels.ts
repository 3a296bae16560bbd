/**
 * The channels of one client, above its session: what is subscribed, what was called and not answered, and what waits for a session.
 *
 * Nothing but `attached` and `steer` sends, so an application may call anything from within a handler. `steer` is to be called at the start and at the end
 * of each turn that gave the session an input. The object outlives its sessions: `bind` gives it the next one.
 */
import { RunnelError } from '../errors.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import type { Attempt, ClientApp, ConnectionState, SessionPort } from '../session/client/ports.ts';
import { lineOf } from '../session/ledger.ts';
import { VolatileLines } from '../session/volatile-lines.ts';
import { type AppDownFrame, type AttachSub, type Position, type SubscribeOptions, Type } from '../wire/frames.ts';
import { splitLine } from '../wire/write.ts';
import { type Call, type CallLimits, type CallOptions, Calls, type Send, type Settle } from './calls.ts';
import type { Subscription, SubscriptionListener } from './subscription.ts';
import { Subscriptions } from './subscriptions.ts';

/** What comes for one channel that is subscribed. */
type ChannelFrame = Extract<AppDownFrame, readonly [9 | 16 | 23 | 24 | 25, ...unknown[]]>;

/** When to try again to send what a full outbox has refused. */
const OUTBOX_RETRY_MS = 250;
/** What a line may have. */
const LINE_LIMITS = { lineBytes: DEFAULT_LIMITS.lineBytes, fragmentChars: DEFAULT_LIMITS.fragmentChars };
/** Names of our earlier sessions that `meta.self` still knows. */
const CLIENTS_MAX = 8;

export interface ClientChannelsOptions {
  /** A random number in [0, 1). */
  readonly random: () => number;
  readonly onState: (state: ConnectionState) => void;
  readonly onAttempt: (attempt: Attempt) => void;
  /** The credentials expire: find out fresh ones and hand them to `reauthorize`. */
  readonly onRefresh: () => void;
}

export class ClientChannels implements ClientApp {
  readonly #options: ClientChannelsOptions;
  readonly #subscriptions: Subscriptions;
  readonly #calls: Calls;
  #session: SessionPort | null = null;
  /** Of the turn under way. */
  #now = 0;
  #lastId = 0;
  /** When something may fall due; never later than it does. */
  #wakeAt = Number.POSITIVE_INFINITY;
  /** Volatile frames of this turn, or since the session holds them. */
  readonly #loose = new VolatileLines();
  /** Our public names, the latest first. */
  #clients: string[] = [];
  /** The last session's; they hold until another says otherwise. */
  #limits: CallLimits = { messageBytes: DEFAULT_LIMITS.messageBytes, dedupMs: DEFAULT_LIMITS.dedupMs };

  constructor(options: ClientChannelsOptions) {
    this.#options = options;
    const nextId = () => ++this.#lastId;
    this.#subscriptions = new Subscriptions(nextId, options.random);
    this.#calls = new Calls(nextId);
  }

  /** Is carried by `session` from here on, the first one or one that follows a closed one. */
  bind(session: SessionPort): void {
    this.#session = session;
    this.#calls.reopen();
    this.#subscriptions.reopen();
  }

  // ——— what the application wants ———

  /** Wants a channel; an earlier wish for the same one is replaced. */
  subscribe(name: string, options: SubscribeOptions, listener: SubscriptionListener): void {
    this.#subscriptions.open(name, options, listener);
  }

  unsubscribe(name: string): void {
    this.#subscriptions.close(name);
  }

  /** After the last message of a channel; null before the first answer to its subscription, and for a channel that is not wanted. */
  position(name: string): Position | null {
    return this.#subscriptions.get(name)?.position ?? null;
  }

  /** The events of a channel, as the server names them; none before the first answer to its subscription. */
  events(name: string): readonly string[] {
    return this.#subscriptions.get(name)?.events ?? [];
  }

  /** Whether the session of that public name is ours, or was lately. */
  isOurs(by: string | null | undefined): boolean {
    return this.#clients.includes(by ?? '');
  }

  /** Publishes or requests. Settled at once where it is refused at once. */
  call(options: CallOptions, now: number): Call {
    const call = this.#calls.add(options, this.#limits, now);
    this.#wake(call.deadline);
    return call;
  }

  /** Allows a call that is streamed to go on for `credit` more parts. */
  allow(call: Call, credit: number, now: number): void {
    this.#calls.allow(call, credit, now);
    this.#wake(call.deadline);
  }

  cancel(call: Call): void {
    this.#calls.cancel(call);
  }

  /**
   * Sends what may be lost, at the end of the turn. `data` is JSON, from `encodeData`.
   * @throws RunnelError `payload_too_large` for what does not fit into one line
   */
  sendVolatile(channel: string, event: string, data: string): void {
    const line = lineOf(`[${Type.volatile},${JSON.stringify(channel)},${JSON.stringify(event)},${data}]`);
    if (line.size > DEFAULT_LIMITS.lineBytes) {
      throw new RunnelError(
        'payload_too_large',
        `Volatile "${event}" has ${line.size} bytes, and may have ${DEFAULT_LIMITS.lineBytes}.`,
      );
    }
    this.#loose.push(line);
  }

  /** Fresh credentials, as JSON (PROTOCOL §4.5). */
  reauthorize(auth: string, timeoutMs: number, now: number, settle: Settle = () => {}): void {
    this.call({ channel: '', name: '$auth', data: auth, timeoutMs, settle }, now);
  }

  // ——— time ———

  /** Settles what is overdue and sends what waits. */
  steer(now: number): void {
    this.#now = now;
    // Without calls nothing may fall due: a timer for them would keep a process alive.
    if (this.#calls.isEmpty) this.#wakeAt = Number.POSITIVE_INFINITY;
    else if (now >= this.#wakeAt) this.#wakeAt = this.#calls.settleOverdue(now);
    if (this.#handOver()) this.#session?.flush(now);
    this.#wake(this.#subscriptions.nextAskAt(now));
  }

  nextTimeout(): number {
    return this.#wakeAt;
  }

  #wake(at: number): void {
    this.#wakeAt = Math.min(this.#wakeAt, at);
  }

  /** Hands the session what it takes; returns whether that was anything. */
  #handOver(): boolean {
    const session = this.#session;
    let any = false;
    if (session === null) return any;
    if (session.transport !== null) {
      this.#calls.refuse(this.#limits, this.#now);
      this.#subscriptions.announce(this.#now);
      const send: Send = (text) => {
        const taken = session.send(splitLine(text, LINE_LIMITS).map(lineOf));
        any ||= taken;
        return taken;
      };
      if (!this.#subscriptions.sendDue(send, this.#now) || !this.#calls.sendDue(send, this.#now))
        this.#wake(this.#now + OUTBOX_RETRY_MS);
    }
    return this.#loose.drain(session) || any;
  }

  // ——— ClientApp ———

  subs(): AttachSub[] {
    return this.#subscriptions.subs();
  }

  lost(): void {
    this.#calls.lost();
    this.#subscriptions.lost();
  }

  attached(subs: readonly AttachSub[] | null): void {
    const client = this.#session?.client ?? null;
    this.#limits = this.#session?.limits ?? this.#limits;
    if (client !== null && !this.#clients.includes(client))
      this.#clients = [client, ...this.#clients].slice(0, CLIENTS_MAX);
    if (subs !== null) this.#subscriptions.attached(subs);
    this.#handOver();
  }

  state(state: ConnectionState): void {
    if (state.status === 'closed') {
      this.#calls.closed(state.reason);
      this.#subscriptions.closed(state.code, state.reason);
    }
    this.#options.onState(state);
  }

  attempt(attempt: Attempt): void {
    this.#options.onAttempt(attempt);
  }

  /** PROTOCOL §5. What concerns a channel or a call that is gone is ignored: it was on its way when we gave it up. */
  frame(frame: AppDownFrame): void {
    switch (frame[0]) {
      case Type.refresh:
        this.#options.onRefresh();
        break;
      case Type.subscribed:
        this.#subscriptions.handleSubscribed(frame[1], frame[2]);
        break;
      case Type.result:
        this.#calls.answer(frame[1], null, frame[2] ?? null);
        break;
      case Type.error: {
        const [, id, code, message, retryable, data] = frame;
        const error = new RunnelError(code.replace(/^app:/, ''), message, { retryable, data });
        this.#calls.answer(id, error);
        this.#subscriptions.handleError(id, error, this.#now);
        break;
      }
      case Type.part:
        this.#calls.part(frame[1], frame[2], this.#now);
        break;
      case Type.revoked:
        this.#subscriptions.handleRevoked(frame[1], frame[2], frame[3], this.#now);
        break;
      default: {
        const subscription = this.#subscriptions.live(frame[1]);
        if (subscription !== undefined) this.#handleFor(subscription, frame);
      }
    }
  }

  #handleFor(subscription: Subscription, frame: ChannelFrame): void {
    let follows = true;
    switch (frame[0]) {
      case Type.message:
        follows = subscription.handleMessage(frame, this.isOurs(frame[5]?.by));
        break;
      case Type.volatile:
        subscription.handleVolatile(frame, this.isOurs(frame[4]?.by));
        break;
      case Type.skipped:
        follows = subscription.handleSkipped(frame[2], frame[3]);
        break;
      case Type.presence:
        subscription.handlePresence(frame[2]);
        break;
      case Type.snapshot:
        subscription.handleSnapshot(frame[2]);
        break;
    }
    if (!follows) this.#subscriptions.handleGap(subscription, this.#now);
  }
}
