import type { CompiledChannel, Identity } from '@runnel/protocol';
import { RunnelError } from '@runnel/protocol';
import type { AuthorizeRequest, SessionInfo } from './access.ts';
import type { CallContext } from './call-context.ts';
import type { ChannelHandle } from './channel-handle.ts';

/** What every handler and hook is given, whatever the contract. The types that apps see are in `handlers.ts`. */
export interface ChannelContext<I extends Identity> {
  readonly user: I;
  readonly params: { readonly [name: string]: string };
  readonly channel: ChannelHandle;
  readonly session: SessionInfo<I>;
}

type Handler<Context> = (context: Context) => unknown;
type HandlerTable<I extends Identity> = ReadonlyMap<string, Handler<CallContext<I>>>;

/** The handlers of one pattern as `handle` was given them, checked. Names come from peers, so every table is a `Map`. */
export interface PatternHandlers<I extends Identity> {
  /** Null: open to everyone who has a session. */
  readonly authorize: ((request: AuthorizeRequest<I>) => boolean | Promise<boolean>) | null;
  readonly publish: HandlerTable<I>;
  /** Of those whose answer is streamed too. */
  readonly requests: HandlerTable<I>;
  readonly presence: Handler<ChannelContext<I> & { readonly data: unknown }> | null;
  /** Null where the contract declares no snapshot. */
  readonly snapshot: Handler<ChannelContext<I> & { readonly signal: AbortSignal }> | null;
  readonly onSubscribe: Handler<ChannelContext<I>> | null;
  readonly onLeave: Handler<ChannelContext<I> & { readonly reason: string }> | null;
}

const options = new Set(['authorize', 'open', 'publish', 'requests', 'presence', 'snapshot', 'onSubscribe', 'onLeave']);

/**
 * Checks what `handle` was given for a channel. It is the app's own code, so whatever is wrong with it throws at once.
 *
 * @throws RunnelError `contract_invalid`, saying what to do
 */
export function checkHandlers<I extends Identity>(channel: CompiledChannel, given: object): PatternHandlers<I> {
  const { pattern } = channel;
  const parts = new Map<string, unknown>(Object.entries(given));
  for (const name of parts.keys()) {
    if (!options.has(name)) throw invalid(pattern, `has no option ${shown(name)}; it has ${[...options].join(', ')}`);
  }
  const handled = [...channel.publish.values()].filter(({ route }) => route === 'handler').map(({ name }) => name);
  const { presence, snapshot } = channel;
  const handler = <Context>(name: string, need: Need): Handler<Context> | null =>
    checkHandler(pattern, name, parts.get(name), need);
  return {
    authorize: checkAccess(pattern, parts.get('authorize'), parts.get('open')),
    publish: checkTable(pattern, 'publish', parts.get('publish'), handled),
    requests: checkTable(pattern, 'requests', parts.get('requests'), [...channel.requests.keys()]),
    presence: handler(
      'presence',
      presence === null ? 'undeclared' : presence.input === presence.member ? 'optional' : 'needed',
    ),
    snapshot: handler('snapshot', snapshot === null ? 'undeclared' : 'needed'),
    onSubscribe: handler('onSubscribe', 'optional'),
    onLeave: handler('onLeave', 'optional'),
  };
}

function checkAccess<I extends Identity>(
  pattern: string,
  authorize: unknown,
  open: unknown,
): PatternHandlers<I>['authorize'] {
  if (open === true) {
    if (authorize === undefined) return null;
    throw invalid(pattern, 'has authorize and open: true; keep one of them');
  }
  if (typeof authorize === 'function') return authorize as NonNullable<PatternHandlers<I>['authorize']>;
  throw invalid(
    pattern,
    'has no authorize. Nothing is open by default: say who may do what with authorize: ({ user, params, action }) => boolean, or that everybody may do everything with open: true',
  );
}

function checkTable<I extends Identity>(
  pattern: string,
  part: string,
  given: unknown,
  declared: readonly string[],
): HandlerTable<I> {
  const table = new Map<string, unknown>(Object.entries(given ?? {}));
  for (const name of table.keys()) {
    if (!declared.includes(name))
      throw invalid(pattern, `handles ${part}.${name}, which the contract gives no handler`);
  }
  for (const name of declared) {
    if (typeof table.get(name) !== 'function') {
      throw invalid(pattern, `has no handler for ${part}.${name}: give a function, or take it out of the contract`);
    }
  }
  return table as HandlerTable<I>;
}

type Need = 'needed' | 'optional' | 'undeclared';

function checkHandler<Context>(pattern: string, name: string, given: unknown, need: Need): Handler<Context> | null {
  if (given === undefined) {
    if (need !== 'needed') return null;
    throw invalid(pattern, `has no ${name} handler: give a function, or take ${name} out of the contract`);
  }
  if (need === 'undeclared') throw invalid(pattern, `handles ${name}, which the contract does not declare`);
  if (typeof given !== 'function') throw invalid(pattern, `has a ${name} handler that is not a function`);
  return given as Handler<Context>;
}

function invalid(pattern: string, what: string): RunnelError {
  return new RunnelError('contract_invalid', `handle(${shown(pattern)}) ${what}`);
}

const shown = (text: string): string => JSON.stringify(text.slice(0, 64));
