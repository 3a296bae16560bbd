/** A broken invariant. The numbers follow the list in docs/ARCHITECTURE.md. */
export class Violation extends Error {
  readonly invariant: number;

  constructor(invariant: number, message: string) {
    super(`invariant ${invariant}: ${message}`);
    this.invariant = invariant;
  }
}

/** `message` is only made when it is wanted. In what runs after every event, `if (…) throw new Violation(…)` spares the closure. */
export function check(condition: boolean, invariant: number, message: () => string): void {
  if (!condition) throw new Violation(invariant, message());
}
