/**
 * What `using` and `await using` close. Where the runtime has no symbols for them yet, those that compilers agree on are used in their place. The symbols are
 * declared here, as Node's types do, so that an app needs no `esnext.disposable` to compile; one that has it sees the same.
 */
declare global {
  interface SymbolConstructor {
    readonly dispose: unique symbol;
    readonly asyncDispose: unique symbol;
  }
}

const dispose: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');
const asyncDispose: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');

interface Disposal {
  /** Closes it, at the end of a block that has it by `using`. */
  [Symbol.dispose](): void;
  /** Closes it, at the end of a block that has it by `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What is done with when it is closed. */
export const Closable: abstract new () => Disposal = class {
  declare close: () => void;
  [dispose](): void {
    this.close();
  }
  async [asyncDispose](): Promise<void> {
    this.close();
  }
};
