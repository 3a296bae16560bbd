/**
 * What stands above the sessions: it hands each frame to what serves it, and keeps what belongs to a session for as long as that lives.
 * It has no socket, reads no clock but the one it is given, and makes no name but through `newId`.
 */
import {
  type AppUpFrame,
  type AttachSub,
  type CompiledContract,
  type Identity,
  type Limits,
  type Position,
  type ResolvedChannel,
  RunnelError,
  type ServerApp,
  type ServerSession,
  Type,
} from '@runnel/protocol';
import { AppSession, type AppSessionOptions } from './app-session.ts';
import { Authorizer } from './authorizer.ts';
import { Broadcaster } from './broadcaster.ts';
import type { Broker } from './brokers/broker.ts';
import { BuiltIns } from './built-ins.ts';
import { Calls } from './calls.ts';
import type { SessionInfo } from './channels/access.ts';
import { ChannelHandle, type ChannelPorts, type Occupancy } from './channels/channel-handle.ts';
import { HandlerRegistry } from './channels/handler-registry.ts';
import type { ApplicationRecord } from './cluster/application-record.ts';
import { Census } from './cluster/census.ts';
import { FormerCalls, type Relay } from './cluster/former-calls.ts';
import type { FormerNode } from './cluster/former-node.ts';
import { PresenceExchange, type PresenceExchangeOptions } from './cluster/presence-exchange.ts';
import { type EstateOptions, SessionEstate } from './cluster/session-estate.ts';
import { Core } from './core.ts';
import { Credentials, type Expiring } from './credentials.ts';
import { Encoder } from './encoder.ts';
import { Hub } from './hub.ts';
import { Presence } from './presence.ts';
import { Publishes } from './publishes.ts';
import { type OnError, Reporter } from './reporter.ts';
import { Requests } from './requests.ts';
import { type SharedLine, sharedLine } from './shared-line.ts';
import { Snapshots } from './snapshots.ts';
import type { Predecessor } from './subscription.ts';
import { Subscriptions } from './subscriptions.ts';
import type { Timing } from './timing.ts';
import { Users } from './users.ts';
import { Volatiles } from './volatiles.ts';

export interface ApplicationOptions<I extends Identity> {
  readonly contract: CompiledContract;
  readonly broker: Broker;
  readonly limits: Limits;
  readonly clock: Timing;
  /** Who `auth` names: for credentials refreshed in band. */
  readonly reauthenticate: (auth: unknown, session: ServerSession<SharedLine, I>) => I | null | Promise<I | null>;
  readonly onError: OnError;
  /** How long a handler may take where the client names no time, ms. Default: 30,000. */
  readonly handlerMs?: number | undefined;
  /** A client has shown that it got its welcome. */
  readonly onSession?: ((session: SessionInfo<I>) => unknown) | undefined;
  /** A session that `onSession` was told of is over; `code` says why (PROTOCOL §9). */
  readonly onSessionEnd?: ((session: SessionInfo<I>, code: string) => unknown) | undefined;
}

export class Application<I extends Identity & Expiring> implements ServerApp<SharedLine, I> {
  readonly handlers: HandlerRegistry<I>;
  readonly users: Users<I> = new Users();
  /** Who, and how many, there are. */
  readonly census: Census<I>;
  readonly #options: ApplicationOptions<I>;
  readonly #core: Core<I>;
  readonly #presence: Presence<I>;
  readonly #subscriptions: Subscriptions<I>;
  readonly #publishes: Publishes<I>;
  readonly #requests: Requests<I>;
  readonly #volatiles: Volatiles<I>;
  readonly #credentials: Credentials<I>;
  readonly #calls: Calls<I>;
  readonly #sessionOptions: AppSessionOptions;

  constructor(options: ApplicationOptions<I>) {
    const { contract, broker, limits, clock, handlerMs = 30_000 } = options;
    this.#options = options;
    this.handlers = new HandlerRegistry<I>(contract, clock);
    const encoder = new Encoder(limits);
    const reporter = new Reporter(options.onError);
    this.#presence = new Presence<I>({
      clock,
      audience: (channel) => hub.get(channel)?.subscriberCount ?? 0,
      tell: (channel, change) => {
        const to = hub.get(channel);
        to?.sendAll([Type.presence, to.n, change]);
      },
      channelsMax: limits.channels,
      // Most such lines are then no longer than one line may be (PROTOCOL §2), and need no fragments.
      partSize: limits.lineBytes / 2,
    });
    const hub = new Hub({
      broker,
      encoder,
      limits,
      clock,
      membersOf: (resolved) => this.#presence.parts(resolved),
      followed: ({ name, channel }) =>
        channel.presence === null ? null : (this.#presence.exchange?.follow(name) ?? null),
      forgotten: (channel) => this.#presence.exchange?.forget(channel),
      presence: (channel, announcement) => this.#presence.exchange?.hear(channel, announcement),
      onError: (error, channel) => reporter.report(error, { during: 'subscribe', channel }),
    });
    const broadcaster = new Broadcaster({ broker, encoder, reporter });
    const authorizer = new Authorizer<I>(reporter);
    const { handlers } = this;
    const ports: ChannelPorts = {
      broadcast: (resolved, event, data) => this.#broadcast(resolved, event, data),
      members: ({ name }) => this.census.members(name),
      occupancy: ({ name }) => this.census.occupancy(name),
    };
    const core = new Core<I>({
      ...{ contract, limits, clock, broker, encoder, reporter, handlers, authorizer, broadcaster, hub, ports },
    });
    this.#core = core;
    this.#sessionOptions = { clock, encoder, onCallSettled: () => this.#calls.handleSettled() };
    const snapshots = new Snapshots<I>(core, { handlerMs });
    this.#subscriptions = new Subscriptions<I>(core, {
      snapshots,
      onLeft: (of, channel) => this.#presence.leave(of, channel),
    });
    this.#credentials = new Credentials<I>({ clock, encoder });
    const builtIns = new BuiltIns<I>(core, {
      presence: this.#presence,
      snapshots,
      reauthenticate: async (auth, of) => options.reauthenticate(auth, of.session),
      onRefreshed: (of) => {
        this.#credentials.watch(of);
        return this.reauthorize(of);
      },
    });
    this.#publishes = new Publishes<I>(core, { handlerMs });
    this.#requests = new Requests<I>(core, { handlerMs, builtIns });
    this.#volatiles = new Volatiles<I>(core);
    this.#calls = new Calls<I>({ limits, clock });
    this.census = new Census<I>({
      users: this.users,
      reauthorize: (of) => this.reauthorize(of),
      members: (channel) => this.#presence.members(channel),
      count: (channel) => this.#occupancy(channel),
    });
  }

  // ——— from the session core ———

  created(session: ServerSession<SharedLine, I>, subs: readonly AttachSub[], settled: () => void): void {
    const of = new AppSession<I>(session, this.#sessionOptions);
    session.app = of;
    this.users.add(of);
    this.#credentials.watch(of);
    this.#subscriptions.subscribeAll(of, subs, settled);
  }

  frame(session: ServerSession<SharedLine, I>, frame: AppUpFrame): void {
    const of = AppSession.of<I>(session);
    if (of === undefined) return;
    switch (frame[0]) {
      case Type.subscribe:
        return this.#subscriptions.subscribe(of, { id: frame[1], channel: frame[2], from: frame[3] });
      case Type.unsubscribe:
        return this.#subscriptions.unsubscribe(of, frame[1]);
      case Type.publish: {
        const call = this.#calls.open(of, frame[1]);
        if (call !== null) this.#publishes.handle(of, call, frame);
        return;
      }
      case Type.request: {
        const call = this.#calls.open(of, frame[1]);
        if (call !== null) this.#requests.handle(of, call, frame);
        return;
      }
      case Type.part:
      case Type.cancel:
        if (!of.elsewhere?.tell(frame[1], frame)) this.callFrame(of, frame);
        return;
      case Type.volatile:
        return this.#volatiles.handle(of, frame[1], frame[2], frame[3]);
    }
  }

  confirmed(session: ServerSession<SharedLine, I>): void {
    const of = AppSession.of<I>(session);
    if (of === undefined) return;
    const { onSession } = this.#options;
    if (onSession !== undefined) void this.#hook(() => onSession(of.info));
    this.#subscriptions.confirmed(of);
  }

  resumed(session: ServerSession<SharedLine, I>): void {
    const of = AppSession.of<I>(session);
    if (of === undefined) return;
    this.#credentials.watch(of);
    void this.reauthorize(of);
  }

  reachable(session: ServerSession<SharedLine, I>, reachable: boolean): void {
    const of = AppSession.of<I>(session);
    if (of === undefined || of.connected === reachable) return;
    of.connected = reachable;
    this.#presence.refresh(of);
  }

  ended(session: ServerSession<SharedLine, I>, code: string): void {
    const of = AppSession.of<I>(session);
    if (of === undefined) return;
    session.app = null;
    this.users.delete(of);
    this.#credentials.forget(of);
    this.#presence.leaveAll(of);
    this.#subscriptions.endAll(of, code);
    of.end(code);
    const { onSessionEnd } = this.#options;
    if (!session.confirmed || onSessionEnd === undefined) return;
    // Behind the `onLeave` of what it followed, which waits for the end of the turn as well.
    void Promise.resolve().then(() => this.#hook(() => onSessionEnd(of.info, code)));
  }

  // ——— for the cluster ———

  /** Another node has the session from here on (PROTOCOL §12.2). What runs on for it here is the estate's. */
  handOver(
    session: ServerSession<SharedLine, I>,
    options: Pick<EstateOptions, 'sendLines'>,
  ): { readonly record: ApplicationRecord; readonly estate: SessionEstate<I> } | null {
    const of = AppSession.of<I>(session);
    if (of === undefined) return null;
    const { broker, clock } = this.#core;
    const arrived = (): void => this.#presence.leaveAll(of);
    const estate = new SessionEstate<I>(of, { broker, clock, arrived, ...options });
    for (const { resolved, heard } of of.subscriptions.values()) {
      if (heard === null || resolved.channel.history !== null) continue;
      if ('since' in heard) estate.echo(resolved.name, heard.since);
      else estate.pass(resolved.name, heard.before);
    }
    const record: ApplicationRecord = {
      subscriptions: this.#subscriptions.handOver(of),
      calls: of.calls.map(({ id }) => id),
      elsewhere: of.elsewhere?.calls ?? [],
      busy: of.busyChannels,
      presence: this.#presence.attended(of),
    };
    session.app = null;
    this.users.delete(of);
    this.#credentials.forget(of);
    return { record, estate };
  }

  /** A session that another node has handed over. `from` stands for that node. Resolves when it follows what it followed, and is present where it was. */
  async adopt(session: ServerSession<SharedLine, I>, record: ApplicationRecord, from: FormerNode): Promise<void> {
    const of = new AppSession<I>(session, this.#sessionOptions);
    session.app = of;
    this.users.add(of);
    this.#credentials.watch(of);
    const calls = [{ estate: from.estate, ids: record.calls, heard: 0 }, ...record.elsewhere];
    of.elsewhere = new FormerCalls(calls, from.tell);
    for (const channel of record.busy) of.inTurn(channel, () => from.whenFree(channel));
    const following = record.subscriptions.map(({ sub, told }) => {
      const [id, channel, since] = sub;
      const predecessor: Predecessor = (until) => from.messages(channel, until);
      return new Promise<void>((onSettled) => {
        this.#subscriptions.subscribe(of, { id, channel, from: since, predecessor, told, onSettled });
      });
    });
    await Promise.all(
      record.presence.map(async ({ channel, member }) => {
        const entering = this.#presence.announce(of, channel);
        await this.#presence.enter(of, entering, member);
        this.#presence.settle(of, entering);
      }),
    );
    await Promise.all(following);
  }

  /** Presence is shared with other nodes from here on. */
  sharePresence(options: Omit<PresenceExchangeOptions, 'members'>): PresenceExchange<I> {
    const exchange = new PresenceExchange<I>({ ...options, members: this.#presence.remote });
    this.#presence.exchange = exchange;
    return exchange;
  }

  /** What a node that had a session before has answered for it. */
  relayed(session: ServerSession<SharedLine, I>, relay: Relay): void {
    const of = AppSession.of<I>(session);
    const taken = of?.elsewhere?.take(relay);
    if (of === undefined || taken === undefined) return;
    for (const text of taken.lines) session.enqueue(sharedLine(text));
    this.#unanswered(of, taken.lost);
  }

  /** Who is alive has changed: nobody answers the calls of the others. */
  keep(alive: ReadonlySet<string>): void {
    for (const of of this.users.all()) {
      const lost = of.elsewhere?.keep(alive) ?? [];
      if (lost.length > 0) this.#unanswered(of, lost);
    }
  }

  #unanswered(of: AppSession<I>, ids: readonly number[]): void {
    for (const id of ids) of.refuse(id, new RunnelError('indeterminate', 'the node that ran it does not answer'));
  }

  /** A frame that came to the node which has the session now, for a call that runs here. */
  callFrame(of: AppSession<I>, frame: AppUpFrame): void {
    if (frame[0] === Type.part) of.call(frame[1])?.stream?.allow(frame[2]);
    else if (frame[0] === Type.cancel) of.call(frame[1])?.abort(new RunnelError('canceled', 'the caller canceled'));
  }

  // ——— for the server ———

  /** @throws RunnelError `channel_invalid` */
  channel(pattern: string, params: { readonly [name: string]: string }): ChannelHandle {
    return new ChannelHandle(this.#core.ports, this.#core.contract.open(pattern, params));
  }

  /** Asks again whether a session may do what it does, and takes away what it may not. */
  async reauthorize(of: AppSession<I>): Promise<void> {
    await this.#subscriptions.reauthorize(of);
    await this.#requests.reauthorize(of);
    await Promise.all(this.#presence.channelsOf(of).map((channel) => this.#reauthorizePresence(of, channel)));
  }

  get stats(): { readonly channels: number; readonly subscriptions: number; readonly calls: number } {
    const { hub } = this.#core;
    return { channels: hub.channelCount, subscriptions: hub.subscriptionCount, calls: this.#calls.count };
  }

  /** Refuses new calls from here on; resolves when those under way have been answered, or `timeoutMs` have passed. */
  drain(timeoutMs: number): Promise<void> {
    return this.#calls.drain(timeoutMs);
  }

  close(): Promise<void> {
    this.handlers.close();
    this.#presence.close();
    this.#core.hub.close();
    return this.#core.broker.close();
  }

  // ——— inside ———

  /** What the server says by itself: nobody has to await it, failures reach `onError`. */
  #broadcast(resolved: ResolvedChannel, event: string, data: unknown): Promise<Position | null> {
    const sent = this.#core.broadcaster.broadcast(resolved, event, data, {});
    sent.catch(() => {});
    return sent;
  }

  #occupancy(name: string): Occupancy {
    return { subscribers: this.#core.hub.get(name)?.subscriberCount ?? 0, members: this.#presence.count(name) };
  }

  async #reauthorizePresence(of: AppSession<I>, channel: string): Promise<void> {
    const resolved = this.#core.resolve(channel);
    try {
      const handlers = await this.#core.handlersOf(resolved);
      await this.#core.authorizer.check(handlers, of, resolved, { action: 'presence' });
    } catch {
      // Refused; what `authorize` threw was told to the app by then.
      this.#presence.leave(of, channel);
    }
  }

  /** What a hook throws, or rejects with, changes nothing. */
  async #hook(run: () => unknown): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#core.reporter.report(error, { during: 'hook' });
    }
  }
}
