/** The name of a channel from its pattern, as `formatChannel` of the protocol gives it, without what only the server has to check. */
import { NAME_LIMITS, RunnelError } from '@runnel/protocol';

/** @throws RunnelError `channel_invalid` */
export function channelName(pattern: string, params: Readonly<Record<string, unknown>>): string {
  const invalid = (why: string): never => {
    throw new RunnelError('channel_invalid', `There is no channel "${pattern.slice(0, NAME_LIMITS.channel)}": ${why}.`);
  };
  const name = pattern.replace(/:(\w+)/g, (_, param: string) => {
    const value = params[param];
    if (typeof value !== 'string' || value === '') return invalid(`:${param} must be a string that is not empty`);
    try {
      return encodeURIComponent(value);
    } catch {
      return invalid(`:${param} is not well-formed Unicode`);
    }
  });
  return name.length <= NAME_LIMITS.channel ? name : invalid(`its name would have ${name.length} characters`);
}
