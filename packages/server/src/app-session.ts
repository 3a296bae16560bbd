import { type Identity, RunnelError, type ServerSession } from '@runnel/protocol';
import { Call, type CallOwner } from './call.ts';
import type { SessionInfo } from './channels/access.ts';
import type { FormerCalls } from './cluster/former-calls.ts';
import type { Encoder } from './encoder.ts';
import type { Receiver } from './receiver.ts';
import { SessionSubscriptions } from './session-subscriptions.ts';
import type { SharedLine } from './shared-line.ts';
import { Slots } from './slots.ts';
import { SmallMap } from './small-map.ts';
import type { Timing } from './timing.ts';

export interface AppSessionOptions {
  readonly encoder: Encoder;
  readonly clock: Timing;
  /** A call of a session is answered, or given up. */
  readonly onCallSettled: () => void;
}

/** Snapshots of one session that are read, or wait for it to take them, at a time. */
const SNAPSHOTS_AT_ONCE = 16;

/** What a session has of work under way, and what comes of having had some. */
class SessionWork {
  /** Unanswered calls by id. */
  readonly calls: SmallMap<number, Call> = new SmallMap();
  /** By channel name: resolves when the last publish queued there is done; no entry while none is. Made with the first. */
  turns: SmallMap<string, Promise<void>> | null = null;
  /** Made with the first subscription that needs one. */
  slots: Slots | null = null;
  /** Volatile messages whose handlers run. */
  volatiles = 0;
}

/** What the application keeps of one session: subscriptions, unanswered calls, and publishes that wait their turn. */
export class AppSession<I extends Identity> implements CallOwner {
  readonly session: ServerSession<SharedLine, I>;
  /** What the app is given of it; made when that is first asked for. */
  #info: SessionInfo<I> | null = null;
  /** By channel name: the newest subscription, answered or not. */
  readonly subscriptions: SessionSubscriptions = new SessionSubscriptions();
  readonly #options: AppSessionOptions;
  /** Null until there is some: most sessions only listen. */
  #work: SessionWork | null = null;
  /** As the session core said last. */
  connected = true;
  /** The calls that are answered by nodes which had the session before; null: it was always here. */
  elsewhere: FormerCalls | null = null;

  constructor(session: ServerSession<SharedLine, I>, options: AppSessionOptions) {
    this.session = session;
    this.#options = options;
  }

  /** The one of a session core; undefined where the application has none of it. */
  static of<I extends Identity>({ app }: Pick<ServerSession<SharedLine, I>, 'app'>): AppSession<I> | undefined {
    return app instanceof AppSession ? app : undefined;
  }

  get info(): SessionInfo<I> {
    this.#info ??= new SessionHandle(this, this.#options.clock);
    return this.#info;
  }
  get receiver(): Receiver {
    return this.session;
  }
  get encoder(): Encoder {
    return this.#options.encoder;
  }
  get clock(): Timing {
    return this.#options.clock;
  }
  get userId(): string {
    return this.session.identity.id;
  }
  /** Volatile messages whose handlers run. */
  get volatiles(): number {
    return this.#work?.volatiles ?? 0;
  }
  set volatiles(count: number) {
    this.#work ??= new SessionWork();
    this.#work.volatiles = count;
  }
  /** Of subscriptions that begin with a snapshot: what was read for them and not yet sent stays bounded. */
  get slots(): Slots {
    this.#work ??= new SessionWork();
    this.#work.slots ??= new Slots(SNAPSHOTS_AT_ONCE);
    return this.#work.slots;
  }
  get callCount(): number {
    return this.#work?.calls.size ?? 0;
  }

  /** Those that are not answered. */
  get calls(): readonly Call[] {
    return this.#work?.calls.values() ?? [];
  }

  call(id: number): Call | undefined {
    return this.#work?.calls.get(id);
  }

  openCall(id: number): Call {
    const call = new Call(id, this);
    this.#work ??= new SessionWork();
    this.#work.calls.set(id, call);
    return call;
  }

  settled({ id }: Call): void {
    this.#work?.calls.delete(id);
    this.#options.onCallSettled();
  }

  /** Channels with publishes that have not been handled. */
  get busyChannels(): readonly string[] {
    return this.#work?.turns?.keys() ?? [];
  }

  /** Resolves when the publishes to a channel that are queued now have been handled. */
  whenFree(channel: string): Promise<void> {
    return this.#work?.turns?.get(channel) ?? Promise.resolve();
  }

  /** Answers `id` with an error, without a call. */
  refuse(id: number, error: RunnelError): void {
    for (const line of this.#options.encoder.error(id, error)) this.session.enqueue(line);
  }

  /** Runs `run` when what was queued for the channel before is done. `run` never rejects. */
  inTurn(channel: string, run: () => Promise<void>): void {
    this.#work ??= new SessionWork();
    this.#work.turns ??= new SmallMap();
    const { turns } = this.#work;
    const before = turns.get(channel);
    const turn = before === undefined ? run() : before.then(run);
    turns.set(channel, turn);
    void turn.then(() => {
      if (turns.get(channel) === turn) turns.delete(channel);
    });
  }

  /** The session has ended: nobody waits for answers any more. */
  end(code: string): void {
    for (const call of this.calls) {
      call.abandon(new RunnelError(code, 'the session has ended'));
    }
  }
}

/** What the app is given of a session. */
class SessionHandle<I extends Identity> implements SessionInfo<I> {
  readonly #of: AppSession<I>;
  readonly #clock: Timing;

  constructor(of: AppSession<I>, clock: Timing) {
    this.#of = of;
    this.#clock = clock;
  }

  get client(): string {
    return this.#of.session.client;
  }
  get user(): I {
    return this.#of.session.identity;
  }
  get transport(): SessionInfo<I>['transport'] {
    return this.#of.session.mode;
  }
  get connected(): boolean {
    return this.#of.session.ended === null && this.#of.connected;
  }
  get channels(): readonly string[] {
    const active = this.#of.subscriptions.values().filter((subscription) => subscription.active);
    return active.map(({ resolved }) => resolved.name);
  }
  kick(reason = 'the application ended this session'): void {
    this.#of.session.end('kicked', reason, this.#clock.now());
  }
}
