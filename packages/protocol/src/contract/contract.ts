import { RunnelError } from '../errors.ts';
import type { Channel } from './channel.ts';
import { compilePatterns } from './pattern.ts';

/**
 * What every contract is: channels by pattern. As a constraint it is written `C extends Contract<C>`, which admits both
 * `typeof channels` and an interface that extends it; an index signature would reject the interface.
 */
export type Contract<C> = { readonly [K in keyof C]: Channel };

/**
 * Declares the contract that client and server share. Clients need its type only.
 *
 * @returns a frozen copy, of the same type
 * @throws RunnelError `contract_invalid` for an empty contract, an entry that `channel()` did not make, a bad pattern,
 *   two patterns of which neither wins over the other, or too many patterns
 */
export function defineContract<const C extends Contract<C>>(channels: C): C {
  const entries = Object.entries<Channel>(channels);
  if (entries.length === 0) {
    throw new RunnelError('contract_invalid', 'the contract is empty: declare at least one channel');
  }
  for (const [pattern, declared] of entries) {
    if (declared?.kind !== 'channel' || typeof declared.definition !== 'object') {
      throw new RunnelError(
        'contract_invalid',
        `${JSON.stringify(pattern)} is not a channel: declare it with channel({…})`,
      );
    }
  }
  compilePatterns(Object.keys(channels));
  return Object.freeze({ ...channels });
}

/** What the compiler says where two of the contracts given to {@link mergeContracts} declare a pattern. */
export type PatternDeclaredTwice<Pattern extends PropertyKey> =
  `${Extract<Pattern, string>} is declared by two of these contracts: keep one of them`;

/** What {@link mergeContracts} makes of contracts: their intersection, so that each keeps its name in hovers. */
export type MergedContract<Parts extends readonly unknown[]> = Parts extends readonly [infer First, ...infer Others]
  ? First & MergedContract<Others>
  : unknown;

/** What {@link mergeContracts} takes at place `I` of `Parts`: a contract that declares no pattern of another one. */
export type DistinctContract<Parts extends readonly unknown[], I extends keyof Parts> = [
  Extract<keyof Parts[I], PatternsBeside<Parts, I>>,
] extends [never]
  ? Parts[I] & Contract<Parts[I]>
  : PatternDeclaredTwice<Extract<keyof Parts[I], PatternsBeside<Parts, I>>>;

type PatternsBeside<Parts extends readonly unknown[], I extends keyof Parts> = {
  [J in keyof Parts]: J extends I ? never : keyof Parts[J];
}[number];

/**
 * Makes one contract of those of several modules. Patterns are in the order of the arguments.
 *
 * @returns a frozen contract; its type is the intersection, which an interface can extend:
 *   `interface AppContract extends MergedContract<[ChatContract, BillingContract]> {}`
 * @throws RunnelError `contract_invalid` where two contracts declare the same pattern, or patterns of which neither wins over
 *   the other, and as {@link defineContract}
 */
export function mergeContracts<const Parts extends readonly unknown[]>(
  ...parts: { [I in keyof Parts]: DistinctContract<Parts, I> }
): MergedContract<Parts> {
  const channels = new Map<string, Channel>();
  const declaredBy = new Map<string, number>();
  for (const [index, part] of (parts as readonly object[]).entries()) {
    for (const [pattern, declared] of Object.entries<Channel>(part as Contract<unknown>)) {
      const before = declaredBy.get(pattern);
      if (before !== undefined) {
        const both = `contracts ${before + 1} and ${index + 1} of mergeContracts both declare ${JSON.stringify(pattern)}`;
        throw new RunnelError('contract_invalid', `${both}; keep one of them`);
      }
      declaredBy.set(pattern, index);
      channels.set(pattern, declared);
    }
  }
  return defineContract(Object.fromEntries(channels)) as MergedContract<Parts>;
}
