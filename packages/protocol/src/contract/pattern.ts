// A channel's name is its pattern with each parameter percent-encoded: `room/:roomId` with `a/b` is `room/a%2Fb`. There is
// exactly one name for given parameters, and `matchChannel` knows no other spelling of it: two spellings of one channel
// would be two channels to the hub and the log, and one to `authorize`.
import { RunnelError } from '../errors.ts';
import { contractLimits } from './limits.ts';

/** The parameter names of pattern `P`: `'a' | 'b'` for `x/:a/y/:b`, `never` where there is none. */
export type ParamNames<P extends string> = P extends `${infer Head}/${infer Tail}`
  ? SegmentParam<Head> | ParamNames<Tail>
  : SegmentParam<P>;

type SegmentParam<S extends string> = S extends `:${infer Name}` ? Name : never;

/** The parameters of pattern `P`: `{ roomId: string }` for `room/:roomId`. */
export type PatternParams<P extends string> = { readonly [N in ParamNames<P>]: string };

/**
 * The parameters of pattern `P` as a list of arguments: `[params]`, or `[]` for a pattern that has none. For a union of
 * patterns it is the union of their lists.
 */
export type ParamsTuple<P extends string> = P extends P
  ? [ParamNames<P>] extends [never]
    ? []
    : [params: PatternParams<P>]
  : never;

/** A concrete name, taken apart. */
export interface ChannelMatch {
  readonly pattern: string;
  /** Decoded, in the pattern's order. Parameter names begin with a letter, so none of them is special to an object. */
  readonly params: { readonly [name: string]: string };
}

/** Patterns prepared for {@link matchChannel}, by {@link compilePatterns}: a tree with one level for each segment. */
export interface PatternTree {
  readonly literals: ReadonlyMap<string, PatternTree>;
  readonly param: PatternTree | null;
  /** The pattern that ends here. */
  readonly end: { readonly pattern: string; readonly segments: readonly PatternSegment[] } | null;
}

/** One part of a pattern, between slashes. */
export interface PatternSegment {
  readonly kind: 'literal' | 'param';
  readonly name: string;
}

interface GrowingTree extends PatternTree {
  readonly literals: Map<string, GrowingTree>;
  param: GrowingTree | null;
  end: PatternTree['end'];
}

// Literals keep to what percent-encoding leaves alone, so a name has one spelling only.
const literalSyntax = /^[A-Za-z0-9_.~-]+$/;
const paramSyntax = /^[A-Za-z][A-Za-z0-9_]*$/;

/**
 * The segments of a pattern.
 *
 * @throws RunnelError `contract_invalid` for a pattern that is empty, too long, or not made of literals and `:params`
 */
export function parsePattern(pattern: string): readonly PatternSegment[] {
  const { channelNameLengthMax, nameLengthMax, patternSegmentsMax } = contractLimits;
  if (typeof pattern !== 'string') throw badPattern(String(pattern), 'it must be a string');
  if (pattern.length > channelNameLengthMax) {
    throw badPattern(pattern, `it may have ${channelNameLengthMax} characters`);
  }
  const parts = pattern.split('/');
  if (parts.length > patternSegmentsMax) throw badPattern(pattern, `it may have ${patternSegmentsMax} segments`);
  const params = new Set<string>();
  return parts.map((part): PatternSegment => {
    const kind = part.startsWith(':') ? 'param' : 'literal';
    const name = kind === 'param' ? part.slice(1) : part;
    if (name === '') throw badPattern(pattern, kind === 'param' ? 'a parameter has no name' : 'a segment is empty');
    if (name.startsWith('$')) throw badPattern(pattern, 'names that begin with $ are reserved');
    if (name.length > nameLengthMax) throw badPattern(pattern, `a segment may have ${nameLengthMax} characters`);
    if (kind === 'literal' && !literalSyntax.test(name)) {
      throw badPattern(pattern, `the segment ${JSON.stringify(name)} may have letters, digits and _ . ~ - only`);
    }
    if (kind === 'literal') return { kind, name };
    if (!paramSyntax.test(name)) throw badPattern(pattern, `:${name} must be a letter, then letters, digits and _`);
    if (params.has(name)) throw badPattern(pattern, `:${name} stands in it twice`);
    params.add(name);
    return { kind, name };
  });
}

/**
 * The concrete name of a channel: at most 256 UTF-16 units, ASCII only. Parameters may hold any well-formed Unicode,
 * slashes included.
 *
 * @throws RunnelError `channel_invalid` for a parameter that is missing, unknown, empty or not well-formed, or a name that
 *   gets too long; `contract_invalid` for a bad pattern
 */
export function formatChannel<P extends string>(pattern: P, params: PatternParams<P>): string {
  const segments = parsePattern(pattern);
  const given = new Map<string, unknown>(Object.entries(params ?? {}));
  const parts = segments.map(({ kind, name }) => {
    if (kind === 'literal') return name;
    const value = given.get(name);
    given.delete(name);
    return encodeParam(pattern, name, value);
  });
  for (const name of given.keys()) {
    throw badChannel(pattern, `it has no parameter ${JSON.stringify(name.slice(0, 64))}`);
  }
  const formatted = parts.join('/');
  const { channelNameLengthMax } = contractLimits;
  if (formatted.length <= channelNameLengthMax) return formatted;
  throw badChannel(
    pattern,
    `the name has ${formatted.length} characters when encoded; it may have ${channelNameLengthMax}`,
  );
}

/**
 * Prepares the patterns of one contract. Two patterns may match the same name only if one of them is the more literal one
 * in every segment where they differ: it wins.
 *
 * @throws RunnelError `contract_invalid` for a bad pattern, for two ambiguous ones, or for too many
 */
export function compilePatterns(patterns: Iterable<string>): PatternTree {
  const root: GrowingTree = emptyTree();
  const ends: NonNullable<PatternTree['end']>[] = [];
  for (const pattern of patterns) {
    const end = { pattern, segments: parsePattern(pattern) };
    const rival = ends.find((other) => isAmbiguous(end.segments, other.segments));
    if (rival !== undefined) throw badPattern(pattern, `${JSON.stringify(rival.pattern)} matches the same channels`);
    ends.push(end);
    const { patternsMax } = contractLimits;
    if (ends.length > patternsMax) throw badPattern(pattern, `a contract may have ${patternsMax} patterns`);
    let node = root;
    for (const { kind, name } of end.segments) {
      const next: GrowingTree = (kind === 'param' ? node.param : node.literals.get(name)) ?? emptyTree();
      if (kind === 'param') node.param = next;
      else node.literals.set(name, next);
      node = next;
    }
    node.end = end;
  }
  return root;
}

/**
 * Finds the pattern of a concrete name. A name that {@link formatChannel} would not produce has none: not only one that
 * fits no pattern, but also one that is too long or spells a parameter in another way. Never throws. Takes time in
 * proportion to the name and, at worst, to the tree.
 */
export function matchChannel(tree: PatternTree, name: string): ChannelMatch | null {
  if (typeof name !== 'string' || name.length > contractLimits.channelNameLengthMax) return null;
  const parts = name.split('/');
  if (parts.length > contractLimits.patternSegmentsMax) return null;
  const values: string[] = [];
  for (const part of parts) {
    const value = decodeParam(part);
    if (value === null) return null;
    values.push(value);
  }
  const end = descend(tree, parts, 0);
  if (end === null) return null;
  const params: Record<string, string> = {};
  end.segments.forEach((segment, index) => {
    const value = values[index];
    if (segment.kind === 'param' && value !== undefined) params[segment.name] = value;
  });
  return { pattern: end.pattern, params };
}

// Literals are tried first. No node is visited twice, because each has one way in.
function descend(node: PatternTree, parts: readonly string[], depth: number): PatternTree['end'] {
  const part = parts[depth];
  if (part === undefined) return node.end;
  const literal = node.literals.get(part);
  const end = literal === undefined ? null : descend(literal, parts, depth + 1);
  return end ?? (node.param === null ? null : descend(node.param, parts, depth + 1));
}

/** Both match some name, and neither is at least as literal as the other in every segment. */
function isAmbiguous(a: readonly PatternSegment[], b: readonly PatternSegment[]): boolean {
  if (a.length !== b.length) return false;
  let literalInA = false;
  let literalInB = false;
  for (const [index, mine] of a.entries()) {
    const theirs = b[index];
    if (theirs === undefined || (mine.kind === 'literal' && theirs.kind === 'literal' && mine.name !== theirs.name)) {
      return false;
    }
    if (mine.kind === theirs.kind) continue;
    if (mine.kind === 'literal') literalInA = true;
    else literalInB = true;
  }
  return literalInA === literalInB;
}

function encodeParam(pattern: string, name: string, value: unknown): string {
  if (typeof value !== 'string') throw badChannel(pattern, `:${name} is ${typeof value}; it must be a string`);
  if (value === '') throw badChannel(pattern, `:${name} is empty`);
  // Encoding makes a value longer, never shorter: refuse early what cannot fit.
  const { channelNameLengthMax } = contractLimits;
  if (value.length > channelNameLengthMax) throw badChannel(pattern, `:${name} is longer than ${channelNameLengthMax}`);
  try {
    return encodeURIComponent(value);
  } catch (cause) {
    throw badChannel(pattern, `:${name} is not well-formed Unicode (a lone surrogate)`, cause);
  }
}

function decodeParam(part: string): string | null {
  try {
    const value = decodeURIComponent(part);
    return value !== '' && encodeURIComponent(value) === part ? value : null;
  } catch {
    return null;
  }
}

function emptyTree(): GrowingTree {
  return { literals: new Map(), param: null, end: null };
}

function badPattern(pattern: string, why: string): RunnelError {
  return new RunnelError('contract_invalid', `bad pattern ${JSON.stringify(pattern.slice(0, 64))}: ${why}`);
}

function badChannel(pattern: string, why: string, cause?: unknown): RunnelError {
  return new RunnelError('channel_invalid', `no channel of ${JSON.stringify(pattern)}: ${why}`, { cause });
}
