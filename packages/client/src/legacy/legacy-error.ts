/** What RunnelError extends here: called as a function, as compiled classes call their base, `Error` would make another object. */
export const LegacyError: new (message?: string) => Error = function (this: Error, message = '') {
  this.message = message;
  const { stack } = new Error(message) as { stack?: string };
  if (stack !== undefined) this.stack = stack;
} as never;

LegacyError.prototype = Object.create(Error.prototype, {
  constructor: { value: LegacyError, configurable: true, writable: true },
});
