/**
 * The one session that tabs share, as each of them may take it for its own: what they send goes up under ids of the session, what comes down goes to whom
 * it concerns. It stands where `ClientChannels` stands in a client that shares nothing.
 *
 * A tab's counted frames are *taken* in order: each is taken when the session has its place in the outbox, or when there was nothing to send. The rest
 * waits at the tab, so that whoever carries the session on is told of it again.
 */
import {
  type AppDownFrame,
  type AttachSub,
  type Attempt,
  type ClientApp,
  type ConnectionState,
  DEFAULT_LIMITS,
  encodeData,
  type Line,
  RunnelError,
  type SessionPort,
  type Settle,
  type SubscribeOptions,
  Type,
} from '@runnel/protocol';
import { CommonChannel, type CommonChannelState } from './common-channel.ts';
import { isSub, type News, type Place, readFrame, type TabId } from './messages.ts';
import { Outbox } from './outbox.ts';
import { Routes, type RoutesState } from './routes.ts';

interface Tab {
  /** Counted frames taken. */
  taken: number;
  /** Those that came and were not taken. */
  readonly waiting: string[];
}

/** What goes on when another tab carries the session on. */
export interface SwitchboardState {
  readonly life: string;
  readonly open: boolean;
  readonly tabs: readonly (readonly [TabId, number])[];
  readonly routes: RoutesState;
  readonly channels: readonly CommonChannelState[];
  readonly outbox: readonly Line[];
}

export interface SwitchboardOptions {
  readonly newId: () => string;
  readonly place: Place;
  readonly tell: (to: readonly TabId[] | null, news: News) => void;
  /** The facts of the connection have changed. */
  readonly onFacts: () => void;
  /** There is something to send. */
  readonly touch: () => void;
  /** The credentials expire. */
  readonly onRefresh: () => void;
  readonly resume: SwitchboardState | null;
}

/** How long the host's own questions may take, ms. */
const QUESTION_MS = 15_000;

export class Switchboard implements ClientApp {
  readonly #options: SwitchboardOptions;
  #session: SessionPort | null = null;
  /** Names the incarnation to tabs. */
  #life: string;
  /** Whether it was attached. */
  #open: boolean;
  readonly #tabs = new Map<TabId, Tab>();
  readonly #channels = new Map<string, CommonChannel>();
  readonly #routes: Routes;
  readonly #outbox: Outbox;

  constructor(options: SwitchboardOptions) {
    const { resume } = options;
    this.#options = options;
    this.#life = resume?.life ?? options.newId();
    this.#open = resume?.open ?? false;
    this.#routes = new Routes(resume?.routes);
    this.#outbox = new Outbox(resume?.outbox);
    for (const [id, taken] of resume?.tabs ?? []) this.#tabs.set(id, { taken, waiting: [] });
    for (const state of resume?.channels ?? []) this.#channel(state.name, state);
    for (const channel of this.#channels.values()) channel.restart();
  }

  get life(): string {
    return this.#life;
  }
  /** Those who take part. */
  get tabs(): readonly TabId[] {
    return [...this.#tabs.keys()];
  }
  get taken(): [TabId, number][] {
    return [...this.#tabs].map(([id, { taken }]) => [id, taken]);
  }

  /** All that another host needs. */
  handOver(): SwitchboardState {
    return {
      life: this.#life,
      open: this.#open,
      tabs: this.taken,
      routes: this.#routes.state,
      channels: [...this.#channels.values()].map(({ state }) => state),
      outbox: this.#outbox.lines,
    };
  }

  // ——— tabs ———

  join(id: TabId, subs: readonly AttachSub[]): void {
    this.leave(id);
    this.#tabs.set(id, { taken: 0, waiting: [] });
    this.#tell(id, ['welcome', this.#life, this.#options.place]);
    this.#options.onFacts();
    if (this.#open) this.#tell(id, ['attached', subs]);
    for (const [sub, name, from] of subs) this.#subscribe(id, sub, name, from);
  }

  /** Takes over the frames of a tab that follow on what came before, of which the first is its `n`th. */
  up(id: TabId, life: string, n: number, frames: readonly string[]): void {
    const tab = this.#tabs.get(id);
    if (tab === undefined) return;
    const come = tab.taken + tab.waiting.length;
    if (n > come) return;
    const fresh = frames.slice(come - n);
    if (life === this.#life) tab.waiting.push(...fresh);
    else {
      // What was sent to the incarnation before is queued at the tab again.
      tab.taken += fresh.length;
      this.#tell(id, ['taken', tab.taken]);
    }
  }

  loose(frames: readonly string[]): void {
    for (const text of frames) this.#outbox.pushLoose(text);
  }

  /** A tab takes no part any more. */
  leave(id: TabId): void {
    if (!this.#tabs.delete(id)) return;
    for (const [upId, { request }] of this.#routes.of(id)) {
      if (request) this.#push([Type.cancel, upId]);
      this.#routes.delete(upId);
    }
    for (const { name } of [...this.#channels.values()]) this.#unsubscribe(id, name);
    this.#options.onFacts();
  }

  // ——— what a driver asks of channels ———

  bind(session: SessionPort): void {
    this.#session = session;
  }

  /** Takes what waits, as far as the session does. */
  steer(now: number): void {
    const session = this.#session;
    if (session === null) return;
    let any = false;
    if (session.transport !== null) {
      any = this.#outbox.drain(session, now);
      for (const [id, tab] of this.#tabs) any = this.#takeOf(id, tab, session, now) || any;
    }
    any = this.#outbox.drainLoose(session) || any;
    if (any) session.flush(now);
  }

  /** Takes what a tab has sent, one after another. Returns whether the session was given anything. */
  #takeOf(id: TabId, tab: Tab, session: SessionPort, now: number): boolean {
    const { taken } = tab;
    let any = false;
    while (this.#outbox.lines.length === 0 && tab.waiting.length > 0 && this.#routes.size < DEFAULT_LIMITS.calls) {
      this.#take(id, tab.waiting.shift() as string);
      tab.taken += 1;
      any = this.#outbox.drain(session, now) || any;
    }
    if (tab.taken > taken) this.#tell(id, ['taken', tab.taken]);
    return any;
  }

  nextTimeout(): number {
    return this.#outbox.retryAt;
  }

  /** PROTOCOL §4.5 */
  reauthorize(auth: string, timeoutMs: number, _now: number, settle: Settle): void {
    this.#push([Type.request, this.#routes.add({ type: 'own', settle }), '', '$auth', JSON.parse(auth), timeoutMs]);
  }

  // ——— up ———

  #push(frame: readonly unknown[]): void {
    this.#outbox.push(frame);
    this.#options.touch();
  }

  #ask(channel: string, method: string, data: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const settle: Settle = (error, answer) => (error === null ? resolve(answer) : reject(error));
      const id = this.#routes.add({ type: 'own', settle });
      this.#push([Type.request, id, channel, method, JSON.parse(encodeData(data)), QUESTION_MS]);
    });
  }

  /** Takes one counted frame of a tab. One that makes no sense is taken and forgotten. */
  #take(id: TabId, text: string): void {
    const frame = readFrame(text);
    const [type, own, name] = frame;
    switch (type) {
      case Type.subscribe:
        if (isSub(frame.slice(1))) this.#subscribe(id, own as number, String(name), frame[3] as SubscribeOptions);
        return;
      case Type.unsubscribe:
        return this.#unsubscribe(id, String(own));
      case Type.cancel:
      case Type.part: {
        const upId = this.#routes.idOf(id, own);
        if (upId !== undefined) this.#push([type, upId, ...frame.slice(2)]);
        return;
      }
      case Type.request:
      case Type.publish:
        if (Number.isSafeInteger(own)) this.#call(id, frame);
        return;
    }
  }

  #call(tab: TabId, frame: readonly unknown[]): void {
    const [type, id, name, method, data, ...rest] = frame as [number, number, string, ...unknown[]];
    const channel = this.#channels.get(name);
    const request = type === Type.request;
    let undo: (() => void) | undefined;
    if (request && channel !== undefined && method === '$enter') undo = channel.enter(tab, data);
    if (request && channel !== undefined && method === '$leave') {
      const others = channel.othersEntered(tab);
      channel.exit(tab);
      // The session stays present for the others.
      if (others) return this.#tell(tab, ['frame', [Type.result, id, null]]);
    }
    const upId = this.#routes.add({ type: 'call', tab, id, request, undo });
    this.#push([type, upId, name, method, data, ...rest]);
  }

  #subscribe(tab: TabId, id: number, name: string, from: SubscribeOptions): void {
    const channel = this.#channels.get(name) ?? this.#channel(name);
    channel.join(tab, id, from);
    if (this.#open && channel.live === null && channel.asked === null) this.#askFor(channel);
  }

  #askFor(channel: CommonChannel): void {
    const sub = [this.#routes.nextId(), channel.name, channel.from] as const;
    channel.ask(sub);
    this.#push([Type.subscribe, ...sub]);
  }

  #unsubscribe(tab: TabId, name: string): void {
    const channel = this.#channels.get(name);
    channel?.leave(tab);
    if (!channel?.isEmpty) return;
    this.#channels.delete(name);
    if (channel.live !== null || channel.asked !== null) this.#push([Type.unsubscribe, name]);
  }

  #channel(name: string, state?: CommonChannelState): CommonChannel {
    const channel = new CommonChannel(
      name,
      {
        push: (frame) => this.#push(frame),
        tell: (tabs, frame) => this.#options.tell(tabs, ['frame', frame]),
        ask: (of, method, data) => this.#ask(of, method, data),
      },
      state,
    );
    this.#channels.set(name, channel);
    return channel;
  }

  #tell(tab: TabId, news: News): void {
    this.#options.tell([tab], news);
  }

  // ——— ClientApp ———

  subs(): AttachSub[] {
    return [...this.#channels.values()].map(({ name, from }) => [this.#routes.nextId(), name, from]);
  }

  lost(): void {
    this.#life = this.#options.newId();
    this.#open = false;
    this.#outbox.lost();
    this.#routes.lost();
    for (const tab of this.#tabs.values()) {
      tab.taken += tab.waiting.length;
      tab.waiting.length = 0;
    }
    for (const channel of this.#channels.values()) channel.lost();
    this.#options.tell(null, ['lost', this.#life]);
  }

  attached(subs: readonly AttachSub[] | null): void {
    this.#options.onFacts();
    if (subs === null) return this.#options.tell(null, ['attached', null]);
    this.#open = true;
    for (const sub of subs) {
      const channel = this.#channels.get(sub[1]);
      if (channel === undefined) this.#push([Type.unsubscribe, sub[1]]);
      else channel.ask(sub);
    }
    for (const tab of this.#tabs.keys()) {
      const own: AttachSub[] = [];
      for (const channel of this.#channels.values()) {
        const member = channel.member(tab);
        if (member !== undefined) own.push([member.id, channel.name, member.from]);
      }
      this.#tell(tab, ['attached', own]);
    }
    for (const channel of this.#channels.values()) if (channel.asked === null) this.#askFor(channel);
  }

  state(state: ConnectionState): void {
    // Whoever of the tabs connects again comes with what it wants.
    if (state.status === 'closed') this.lost();
    this.#options.onFacts();
    this.#options.tell(null, ['state', state]);
  }

  attempt(attempt: Attempt): void {
    this.#options.tell(null, ['attempt', attempt]);
  }

  frame(frame: AppDownFrame): void {
    switch (frame[0]) {
      case Type.refresh:
        return this.#options.onRefresh();
      case Type.subscribed: {
        const [, id, answer] = frame;
        // PROTOCOL §5.17: whoever had the number had it at another node.
        this.#numbered(answer.n)?.displace();
        return this.#subscribedBy(id)?.handleSubscribed(answer);
      }
      case Type.result:
      case Type.error:
      case Type.part:
        return this.#answer(frame);
      case Type.revoked:
        return this.#fail(this.#numbered(frame[1]), frame[2], frame[3], null);
      default:
        return this.#numbered(frame[1])?.handle(frame);
    }
  }

  #answer(frame: Extract<AppDownFrame, readonly [19 | 20 | 27, ...unknown[]]>): void {
    const [type, id] = frame;
    const route = this.#routes.get(id);
    if (route === undefined) {
      if (type === Type.error) this.#fail(this.#subscribedBy(id), frame[2], frame[3], frame[4]);
      return;
    }
    if (type !== Type.part) this.#routes.delete(id);
    switch (route.type) {
      case 'call': {
        if (type === Type.error) route.undo?.();
        const [, , ...rest] = frame;
        return this.#tell(route.tab, ['frame', [type, route.id, ...rest] as AppDownFrame]);
      }
      case 'own':
        if (type === Type.result) route.settle(null, frame[2] ?? null);
        else if (type === Type.error) route.settle(new RunnelError(frame[2], frame[3], { retryable: frame[4] }));
    }
  }

  #fail(channel: CommonChannel | undefined, code: string, message: string, retryable: boolean | null): void {
    if (channel === undefined) return;
    this.#channels.delete(channel.name);
    channel.fail(code, message, retryable);
  }

  /** The channel that was last subscribed with the id. */
  #subscribedBy(id: number): CommonChannel | undefined {
    for (const channel of this.#channels.values()) if (channel.asked?.[0] === id) return channel;
    return undefined;
  }

  #numbered(n: number): CommonChannel | undefined {
    for (const channel of this.#channels.values()) if (channel.n === n) return channel;
    return undefined;
  }
}
