/** The methods that every server answers: their names begin with `$` (PROTOCOL §5.18). */
import {
  type CompiledChannel,
  encodeData,
  type Identity,
  type ResolvedChannel,
  RunnelError,
  readDown,
  Type,
  validateOrThrow,
} from '@runnel/protocol';
import type { AppSession } from './app-session.ts';
import type { LogEntry, LogRead, ReadQuery } from './brokers/broker.ts';
import type { Call } from './call.ts';
import type { Core } from './core.ts';
import { mismatch, shown } from './mismatch.ts';
import { fitting, historyQuery, membersQuery } from './paging.ts';
import type { Presence } from './presence.ts';
import type { MemberData } from './presence-member.ts';
import type { ErrorContext } from './reporter.ts';
import type { Snapshots } from './snapshots.ts';

export interface BuiltInRequest<I extends Identity> {
  readonly of: AppSession<I>;
  readonly call: Call;
  /** The name of the channel, as the client gave it. */
  readonly channel: string;
  readonly data: unknown;
}

export interface BuiltIn<I extends Identity> {
  readonly during: ErrorContext['during'];
  /** Resolves to the encoded answer, or to null for one without data. */
  readonly answer: (request: BuiltInRequest<I>) => Promise<string | null>;
}

export interface BuiltInsOptions<I extends Identity> {
  readonly presence: Presence<I>;
  readonly snapshots: Snapshots<I>;
  /** Who `auth` names now. */
  readonly reauthenticate: (auth: unknown, of: AppSession<I>) => Promise<I | null>;
  /** The identity of the session was replaced. */
  readonly onRefreshed: (of: AppSession<I>) => Promise<void>;
}

/** What one UTF-16 unit may take in UTF-8. */
const UNIT_BYTES_MAX = 3;
/** Longest encoded presence data of one member, in UTF-16 units. */
const MEMBER_SIZE_MAX = 16_384;

export class BuiltIns<I extends Identity> {
  readonly #core: Core<I>;
  readonly #options: BuiltInsOptions<I>;
  readonly #methods: ReadonlyMap<string, BuiltIn<I>>;

  constructor(core: Core<I>, options: BuiltInsOptions<I>) {
    this.#core = core;
    this.#options = options;
    this.#methods = new Map<string, BuiltIn<I>>([
      ['$auth', { during: 'authenticate', answer: (request) => this.#auth(request) }],
      ['$enter', { during: 'presence', answer: (request) => this.#enter(request) }],
      ['$leave', { during: 'presence', answer: (request) => this.#leave(request) }],
      ['$members', { during: 'request', answer: (request) => this.#members(request) }],
      ['$occupancy', { during: 'request', answer: (request) => this.#occupancy(request) }],
      ['$history', { during: 'request', answer: (request) => this.#history(request) }],
      ['$snapshot', { during: 'request', answer: (request) => this.#snapshot(request) }],
    ]);
  }

  /** @throws RunnelError `unknown_method` */
  get(method: string): BuiltIn<I> {
    const builtIn = this.#methods.get(method);
    if (builtIn !== undefined) return builtIn;
    throw mismatch('unknown_method', `no built-in method is called ${shown(method)}`, this.#methods.keys());
  }

  /** What the app is told that an error of its own came up in. */
  during(method: string): ErrorContext['during'] {
    return this.#methods.get(method)?.during ?? 'request';
  }

  /** PROTOCOL §4.5: fresh credentials for the same user. */
  async #auth({ of, data: auth }: BuiltInRequest<I>): Promise<null> {
    const identity = await this.#options.reauthenticate(auth, of);
    if (identity === null) throw new RunnelError('unauthorized', 'the credentials were refused');
    if (identity.id !== of.userId) {
      const reason = 'the credentials are those of another user';
      of.session.end('forbidden', reason, this.#core.clock.now());
      throw new RunnelError('forbidden', reason);
    }
    of.session.identity = identity;
    await this.#options.onRefreshed(of);
    return null;
  }

  async #enter({ of, call, channel, data }: BuiltInRequest<I>): Promise<null> {
    const resolved = this.#present(channel);
    const { presence } = this.#options;
    const entering = presence.announce(of, channel);
    try {
      const member = await this.#member(of, resolved, data);
      // Who gave up has been told that it is not in.
      if (!call.settled) await presence.enter(of, entering, member);
      return null;
    } finally {
      presence.settle(of, entering);
    }
  }

  /** What a client that enters with `data` is shown as. */
  async #member(of: AppSession<I>, resolved: PresentChannel, data: unknown): Promise<MemberData> {
    const { name, channel } = resolved;
    const handlers = await this.#core.handlersOf(resolved);
    await this.#core.authorizer.check(handlers, of, resolved, { action: 'presence' });
    let member: unknown = await validateOrThrow(channel.presence.input, data, `presence of ${name}`);
    if (handlers.presence !== null) {
      const vouched = await handlers.presence({ ...this.#core.contextOf(of, resolved), data: member });
      member = await this.#own(() =>
        validateOrThrow(channel.presence.member, vouched, `what the presence handler of ${name} returned`),
      );
    }
    const json = await this.#own(() => encodeData(member));
    if (json.length <= MEMBER_SIZE_MAX) return { data: wireForm(json), json };
    throw new RunnelError('payload_too_large', `presence data may have ${MEMBER_SIZE_MAX} characters as JSON`);
  }

  async #leave({ of, channel }: BuiltInRequest<I>): Promise<null> {
    this.#options.presence.leave(of, this.#present(channel).name);
    return null;
  }

  /**
   * `[{id, data, connected}]` in the order in which they came. All of them, or `payload_too_large` where one answer does not take all; asked
   * with `{skip, limit}`, those from the `skip`th on, as many as one answer takes.
   */
  async #members({ of, channel: name, data: asked }: BuiltInRequest<I>): Promise<string> {
    const resolved = this.#present(name);
    const page = asked === null ? null : membersQuery(asked);
    await this.#mayRead(of, resolved);
    const members = await this.#core.ports.members(resolved);
    const { messageBytes } = this.#core.limits;
    if (page !== null) {
      const { skip, limit } = page;
      const json = members.slice(skip, skip + limit).map((member) => encodeData(member));
      return `[${fitting(json, messageBytes / UNIT_BYTES_MAX, 'first').join(',')}]`;
    }
    const json = encodeData(members);
    this.#core.encoder.checkSize(
      json,
      `the list of ${members.length} members, which may be asked for with {skip, limit},`,
    );
    return json;
  }

  /** `{members, subscribers}`: how many they are. */
  async #occupancy({ of, channel }: BuiltInRequest<I>): Promise<string> {
    const resolved = this.#core.resolve(channel);
    await this.#mayRead(of, resolved);
    const { members, subscribers } = await this.#core.ports.occupancy(resolved);
    return encodeData({ members, subscribers });
  }

  /** `{epoch, head, complete, messages: [{offset, event, data, by?}]}`, the messages by rising offset. */
  async #history({ of, channel, data: asked }: BuiltInRequest<I>): Promise<string> {
    const resolved = this.#core.resolve(channel);
    if (resolved.channel.history === null) throw undeclared(resolved, 'history');
    const query = historyQuery(asked);
    await this.#mayRead(of, resolved);
    const { epoch, head, complete, entries } = await this.#read(resolved, query);
    const end = query.since === undefined ? 'last' : 'first';
    const messages = fitting(entries.map(messageJson), this.#core.limits.messageBytes / UNIT_BYTES_MAX, end);
    return `{"epoch":${JSON.stringify(epoch)},"head":${head},"complete":${complete},"messages":[${messages.join(',')}]}`;
  }

  /** `{epoch, offset, data}`: the state, in which is whatever happened up to that position, and perhaps something more. */
  async #snapshot({ of, call, channel }: BuiltInRequest<I>): Promise<string> {
    const resolved = this.#core.resolve(channel);
    if (resolved.channel.snapshot === null) throw undeclared(resolved, 'snapshot');
    await this.#mayRead(of, resolved);
    // The position first: what happens while the state is read comes after it.
    const { epoch, head } = await this.#read(resolved, { limit: 0 });
    const data = await this.#options.snapshots.read(of, resolved, call.signal);
    return `{"epoch":${JSON.stringify(epoch)},"offset":${head},"data":${data}}`;
  }

  /** @throws RunnelError `unknown_method` for a channel without presence */
  #present(name: string): PresentChannel {
    const resolved = this.#core.resolve(name);
    if (hasPresence(resolved)) return resolved;
    throw undeclared(resolved, 'presence');
  }

  async #mayRead(of: AppSession<I>, resolved: ResolvedChannel): Promise<void> {
    const handlers = await this.#core.handlersOf(resolved);
    await this.#core.authorizer.check(handlers, of, resolved, { action: 'subscribe' });
  }

  /** @throws RunnelError rejects with `broker_failed`, of which the app is told too */
  async #read({ name: channel, channel: { history } }: ResolvedChannel, query: ReadQuery): Promise<LogRead> {
    try {
      return await this.#core.broker.read(channel, { ...query, history });
    } catch (cause) {
      this.#core.reporter.report(cause, { during: 'request', channel });
      if (RunnelError.is(cause)) throw cause;
      throw new RunnelError('broker_failed', 'the log of the channel could not be read', { cause });
    }
  }

  async #own<T>(run: () => T | Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw RunnelError.is(error) ? this.#core.reporter.own(error) : error;
    }
  }
}

type PresentChannel = ResolvedChannel & {
  readonly channel: { readonly presence: NonNullable<CompiledChannel['presence']> };
};

const hasPresence = (resolved: ResolvedChannel): resolved is PresentChannel => resolved.channel.presence !== null;

const undeclared = ({ channel }: ResolvedChannel, what: string): RunnelError =>
  new RunnelError('unknown_method', `${channel.pattern} declares no ${what} in the contract of this server`);

/** A payload as clients get it, from its JSON. */
function wireForm(json: string): unknown {
  return readDown(`[${Type.result},1,${json}]`)?.[2];
}

function messageJson({ offset, event, data, by }: LogEntry): string {
  const who = by === undefined ? '' : `,"by":${JSON.stringify(by)}`;
  return `{"offset":${offset},"event":${JSON.stringify(event)},"data":${data}${who}}`;
}
