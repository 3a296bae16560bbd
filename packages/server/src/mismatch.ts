import { type Code, RunnelError } from '@runnel/protocol';

/** Room for names of what there is, in UTF-16 units. */
const NAMES_CHARS_MAX = 200;

/**
 * The error for a name that the contract does not have: what there is, so that a client built from another contract shows at a glance.
 *
 * @param what the sentence that it begins with: `room/:roomId has no request "edti"`
 */
export function mismatch(code: Code, what: string, names: Iterable<string>): RunnelError {
  const hint = 'Is the client built from the same contract as this server?';
  return new RunnelError(code, `${what}; ${listed([...names])}. ${hint}`);
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'there is none';
  let room = NAMES_CHARS_MAX;
  const fitting = names.filter((name, at) => {
    room -= name.length + 2;
    return room >= 0 || at === 0;
  });
  const more = names.length - fitting.length;
  return `there is ${fitting.join(', ')}${more === 0 ? '' : ` and ${more} more`}`;
}

/** A name from a client, fit for a message. */
export const shown = (name: string): string => JSON.stringify(name.slice(0, 64));
