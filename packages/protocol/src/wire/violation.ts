import { RunnelError } from '../errors.ts';

/** What the peer sent cannot be read, or breaks a rule of the protocol. */
export function violation(message: string): RunnelError<'protocol_error'> {
  return new RunnelError('protocol_error', message);
}
