/** A client's presence in one channel: it enters anew after each subscription, and tells the server one thing after another. */
export interface AttendeeOptions {
  /** Asks the server, and says how that went. */
  readonly ask: (method: '$enter' | '$leave', data: string | null, settle: (failed: boolean) => void) => void;
  /** Calls `run` later. */
  readonly after: (ms: number, run: () => void) => void;
}

/** Between a refusal and the next attempt. */
const RETRY_MS = 2_000;

export class Attendee {
  readonly #options: AttendeeOptions;
  /** What members are to see of it; null: that it is not there. */
  #wanted: string | null = null;
  /** What the server took last in this subscription. Undefined: that is not known. */
  #told: string | null | undefined = null;
  #busy = false;

  constructor(options: AttendeeOptions) {
    this.#options = options;
  }

  get wanted(): string | null {
    return this.#wanted;
  }
  /** Whether the server knows what is wanted. */
  get settled(): boolean {
    return !this.#busy && this.#told === this.#wanted;
  }

  show(wanted: string | null): void {
    this.#wanted = wanted;
    this.#steer();
  }

  /** The server may know nothing of it. */
  handleSubscribed(): void {
    this.#told = undefined;
    this.#steer();
  }

  #steer(): void {
    const wanted = this.#wanted;
    if (this.#busy || this.#told === wanted) return;
    this.#busy = true;
    this.#told = wanted;
    this.#options.ask(wanted === null ? '$leave' : '$enter', wanted, (failed) => {
      if (failed) this.#told = undefined;
      this.#options.after(failed ? RETRY_MS : 0, () => {
        this.#busy = false;
        this.#steer();
      });
    });
  }
}
