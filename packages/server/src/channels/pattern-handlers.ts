import type { CompiledChannel, Identity } from '@runnel/protocol';
import { RunnelError } from '@runnel/protocol';
import type { AuthorizeRequest, SessionInfo } from './access.ts';
import type { CallContext } from './call-context.ts';

/** What a presence handler is given, whatever the contract. */
interface EnterContext<I extends Identity> {
  readonly user: I;
  readonly params: { readonly [name: string]: string };
  readonly channel: string;
  readonly session: SessionInfo<I>;
  readonly data: unknown;
}

/** The handlers of one pattern as `handle` was given them, checked. Names come from peers, so every table is a `Map`. */
export interface PatternHandlers<I extends Identity> {
  /** Null: open to everyone who has a session. */
  readonly authorize: ((request: AuthorizeRequest<I>) => boolean | Promise<boolean>) | null;
  readonly publish: ReadonlyMap<string, (context: CallContext<I>) => unknown>;
  readonly requests: ReadonlyMap<string, (context: CallContext<I>) => unknown>;
  readonly presence: ((context: EnterContext<I>) => unknown) | null;
}

const options = new Set(['authorize', 'open', 'publish', 'requests', 'presence']);

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
  // Streamed answers have no handlers yet.
  const asked = [...channel.requests.values()].filter(({ yields }) => yields === null).map(({ name }) => name);
  const { presence } = channel;
  return {
    authorize: checkAccess(pattern, parts.get('authorize'), parts.get('open')),
    publish: checkTable(pattern, 'publish', parts.get('publish'), handled),
    requests: checkTable(pattern, 'requests', parts.get('requests'), asked),
    presence: checkPresence(pattern, parts.get('presence'), presence !== null, presence?.input !== presence?.member),
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
): ReadonlyMap<string, (context: CallContext<I>) => unknown> {
  const table = new Map<string, unknown>(Object.entries((given ?? {}) as object));
  for (const name of table.keys()) {
    if (!declared.includes(name))
      throw invalid(pattern, `handles ${part}.${name}, which the contract gives no handler`);
  }
  for (const name of declared) {
    if (typeof table.get(name) !== 'function') {
      throw invalid(pattern, `has no handler for ${part}.${name}: give a function, or take it out of the contract`);
    }
  }
  return table as ReadonlyMap<string, (context: CallContext<I>) => unknown>;
}

function checkPresence<I extends Identity>(
  pattern: string,
  handler: unknown,
  declared: boolean,
  needed: boolean,
): PatternHandlers<I>['presence'] {
  if (handler === undefined) {
    if (needed) throw invalid(pattern, 'has no presence handler, which makes members of what clients enter with');
    return null;
  }
  if (!declared) throw invalid(pattern, 'handles presence, which the contract does not declare');
  if (typeof handler !== 'function') throw invalid(pattern, 'has a presence handler that is not a function');
  return handler as NonNullable<PatternHandlers<I>['presence']>;
}

function invalid(pattern: string, what: string): RunnelError {
  return new RunnelError('contract_invalid', `handle(${shown(pattern)}) ${what}`);
}

const shown = (text: string): string => JSON.stringify(text.slice(0, 64));
