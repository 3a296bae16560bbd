/** The methods that every server answers: their names begin with `$` (PROTOCOL §5.18). */
import {
  encodeData,
  type Identity,
  type Position,
  type PresenceEntry,
  type ResolvedChannel,
  RunnelError,
  readDown,
  Type,
  validateOrThrow,
} from '@runnel/protocol';
import type { AppSession } from './app-session.ts';
import type { LogEntry, ReadQuery } from './brokers/broker.ts';
import type { Core } from './core.ts';
import type { Presence } from './presence.ts';

/** Answers with an encoded payload, or null for none. */
export type BuiltIn<I extends Identity> = (of: AppSession<I>, channel: string, data: unknown) => Promise<string | null>;

export interface BuiltInsOptions<I extends Identity> {
  readonly presence: Presence<I>;
  /** Who `auth` names now. */
  readonly reauthenticate: (auth: unknown, of: AppSession<I>) => Promise<I | null>;
  /** The identity of the session was replaced. */
  readonly onRefreshed: (of: AppSession<I>) => Promise<void>;
}

/** Messages of one page of history. */
const PAGE = { default: 50, max: 256 } as const;
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
      ['$auth', (of, _, auth) => this.#auth(of, auth)],
      ['$enter', (of, channel, data) => this.#enter(of, channel, data)],
      ['$leave', (of, channel) => this.#leave(of, channel)],
      ['$members', (of, channel) => this.#members(of, channel)],
      ['$history', (of, channel, query) => this.#history(of, channel, query)],
    ]);
  }

  get(method: string): BuiltIn<I> | undefined {
    return this.#methods.get(method);
  }

  /** PROTOCOL §4.5: fresh credentials for the same user. */
  async #auth(of: AppSession<I>, auth: unknown): Promise<null> {
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

  async #enter(of: AppSession<I>, name: string, data: unknown): Promise<null> {
    const resolved = this.#present(name);
    const { presence } = resolved.channel;
    if (presence === null) return null;
    const handlers = await this.#core.handlersOf(resolved);
    await this.#core.authorizer.check(handlers, of, resolved, { action: 'presence' });
    const given = await validateOrThrow(presence.input, data, `presence of ${name}`);
    let member: unknown = given;
    if (handlers.presence !== null) {
      const { params } = resolved;
      const { info: session } = of;
      const vouched = await handlers.presence({ user: session.user, params, channel: name, session, data: given });
      member = await this.#own(() =>
        validateOrThrow(presence.member, vouched, `what the presence handler of ${name} returned`),
      );
    }
    const json = await this.#own(() => encodeData(member));
    if (json.length > MEMBER_SIZE_MAX) {
      throw new RunnelError('payload_too_large', `presence data may have ${MEMBER_SIZE_MAX} characters as JSON`);
    }
    if (of.session.ended === null) this.#options.presence.enter(of, name, { data: wireForm(json), json });
    return null;
  }

  async #leave(of: AppSession<I>, name: string): Promise<null> {
    this.#options.presence.leave(of, this.#present(name).name);
    return null;
  }

  async #members(of: AppSession<I>, name: string): Promise<string> {
    const resolved = this.#present(name);
    await this.#mayRead(of, resolved);
    const members: readonly PresenceEntry[] = this.#options.presence.members(resolved.name);
    const json = encodeData(members);
    this.#core.encoder.checkSize(json, `the list of members of ${name}`);
    return json;
  }

  /** `{epoch, head, complete, messages: [{offset, event, data, by?}]}`, the messages by rising offset. */
  async #history(of: AppSession<I>, name: string, asked: unknown): Promise<string> {
    const resolved = this.#core.resolve(name);
    if (resolved.channel.history === null) throw undeclared(resolved, 'history');
    const query = historyQuery(asked);
    await this.#mayRead(of, resolved);
    const { epoch, head, complete, entries } = await this.#core.broker.read(name, query);
    const messages = fitting(entries.map(messageJson), this.#core.limits.messageBytes / 2, query.since === undefined);
    return `{"epoch":${JSON.stringify(epoch)},"head":${head},"complete":${complete},"messages":[${messages.join(',')}]}`;
  }

  /** @throws RunnelError `unknown_method` for a channel without presence */
  #present(name: string): ResolvedChannel {
    const resolved = this.#core.resolve(name);
    if (resolved.channel.presence === null) throw undeclared(resolved, 'presence');
    return resolved;
  }

  async #mayRead(of: AppSession<I>, resolved: ResolvedChannel): Promise<void> {
    const handlers = await this.#core.handlersOf(resolved);
    await this.#core.authorizer.check(handlers, of, resolved, { action: 'subscribe' });
  }

  async #own<T>(run: () => T | Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw RunnelError.is(error) ? this.#core.reporter.own(error) : error;
    }
  }
}

const undeclared = ({ channel }: ResolvedChannel, what: string): RunnelError =>
  new RunnelError('unknown_method', `${channel.pattern} declares no ${what}`);

/** A payload as clients get it, from its JSON. */
function wireForm(json: string): unknown {
  return readDown(`[${Type.result},1,${json}]`)?.[2];
}

function messageJson({ offset, event, data, by }: LogEntry): string {
  const who = by === undefined ? '' : `,"by":${JSON.stringify(by)}`;
  return `{"offset":${offset},"event":${JSON.stringify(event)},"data":${data}${who}}`;
}

/** As many messages as `sizeMax` takes, but one at least: the newest ones, or those that come first. */
function fitting(messages: readonly string[], sizeMax: number, newest: boolean): readonly string[] {
  const ordered = newest ? [...messages].reverse() : messages;
  let size = 0;
  let count = 0;
  for (const { length } of ordered) {
    size += length;
    if (count > 0 && size > sizeMax) break;
    count += 1;
  }
  return newest ? messages.slice(messages.length - count) : messages.slice(0, count);
}

/** @throws RunnelError `validation_failed` */
function historyQuery(asked: unknown): ReadQuery {
  const {
    since,
    before,
    limit = PAGE.default,
  } = (typeof asked === 'object' && asked !== null ? asked : {}) as {
    readonly since?: unknown;
    readonly before?: unknown;
    readonly limit?: unknown;
  };
  if (!isCount(limit) || limit < 1) throw invalidQuery('limit', 'a whole number from 1');
  if (before !== undefined && !isCount(before)) throw invalidQuery('before', 'an offset');
  if (since !== undefined && !isPosition(since)) throw invalidQuery('since', '{epoch, offset}');
  return { since, before, limit: Math.min(limit, PAGE.max) };
}

function invalidQuery(field: string, what: string): RunnelError {
  const message = `it must be ${what}`;
  return new RunnelError('validation_failed', `${field} of a history query is invalid: ${message}`, {
    data: { issues: [{ path: [field], message }] },
  });
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function isPosition(value: unknown): value is Position {
  if (typeof value !== 'object' || value === null) return false;
  const { epoch, offset } = value as { readonly epoch?: unknown; readonly offset?: unknown };
  return typeof epoch === 'string' && isCount(offset);
}
