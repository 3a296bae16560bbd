import type { Deliveries } from '../deliveries.ts';
import type { AppClient } from './app-client.ts';
import { randomId } from './random-id.ts';

const perSecond = 4;
/** How long it goes on after what it is for. */
const afterMs = 12_000;
/** What is tried does not wait for it any longer. */
const patienceMs = 1_000;

/** Numbered messages both ways, a few a second, while something is tried: so that there is something to lose. */
export class Pulse {
  readonly #client: AppClient;
  readonly #userId: string;
  readonly #deliveries: Deliveries;
  /** Ends the pulse before. */
  #stop: () => void = () => {};

  constructor(client: AppClient, userId: string, deliveries: Deliveries) {
    this.#client = client;
    this.#userId = userId;
    this.#deliveries = deliveries;
  }

  /** Resolves when it runs, or will as soon as it can. */
  async start(forMs: number): Promise<void> {
    this.#stop();
    const flowId = `${this.#userId}.${randomId()}`;
    const channel = this.#client.channel('flow/:flowId', { flowId });
    const count = Math.ceil(((forMs + afterMs) / 1_000) * perSecond);
    channel.on('number', ({ n }) => {
      this.#deliveries.take(flowId, n);
      if (n === count - 1) stop();
    });
    let sent = 0;
    const timer = setInterval(() => {
      // What does not come shows as what it is: that is what this is for.
      channel.publish('number', { n: sent++ }).catch(() => {});
    }, 1_000 / perSecond);
    const stop = () => {
      this.#stop = () => {};
      clearInterval(timer);
      this.#deliveries.forget(flowId);
      // The server stops by itself too, later.
      channel
        .request('stop')
        .catch(() => {})
        .finally(() => channel.close());
    };
    this.#stop = stop;
    // Without a start nothing comes, which shows.
    const started = channel.request('start', { count, perSecond }).catch(() => {});
    await Promise.race([started, new Promise((resolve) => setTimeout(resolve, patienceMs))]);
  }
}
