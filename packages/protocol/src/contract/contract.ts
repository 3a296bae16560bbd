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
