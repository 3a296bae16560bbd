const texts = new Map([
  ['disconnected', 'there is no connection'],
  ['queue_full', 'too much is waiting for a connection'],
  ['indeterminate', 'the connection was lost before the answer came'],
  ['timeout', 'no answer came in time'],
  ['validation_failed', 'the server found it invalid'],
  ['payload_too_large', 'it is too long'],
  ['forbidden', 'this is not allowed'],
  ['limit_reached', 'too much at once'],
  ['overloaded', 'the server is busy'],
  ['handler_failed', 'the server failed on it'],
  ['kicked', 'the server ended this session'],
  ['unauthorized', 'the server did not accept who you are'],
  ['forbidden_origin', 'the server does not accept this page'],
  ['transport_unavailable', 'this transport did not get through'],
]);

/** Why something failed, to be read after "Not sent:". */
export function failureText(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  return texts.get(code) ?? (error instanceof Error ? error.message : String(error));
}

/** The codes that have a text of their own. */
export function knownFailures(): string[] {
  return [...texts.keys()];
}
