import type { AnyChannel } from './any-channel.ts';

/** A handle that is closed when the component has gone that it was made for. */
export class HandleLease {
  readonly channel: AnyChannel;
  #isTaken = false;

  constructor(channel: AnyChannel) {
    this.channel = channel;
  }

  /** The component is there; returns what says that it has gone. */
  take(): () => void {
    this.#isTaken = true;
    return () => {
      this.#isTaken = false;
      // Not at once: React may take an effect back only to run it again, and what other components have added to the handle has to outlive that.
      queueMicrotask(() => {
        if (!this.#isTaken) this.channel.close();
      });
    };
  }
}
