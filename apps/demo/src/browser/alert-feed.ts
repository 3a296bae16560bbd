import type { Alert, AlertDraft } from '../contract.ts';
import type { AppClient } from './app-client.ts';

interface AlertFeedOptions {
  readonly client: AppClient;
  readonly userId: string;
  /** `fresh`: it has just been raised, and is not from before this page was there. */
  readonly onAlert: (alert: Alert, fresh: boolean) => void;
}

const freshMs = 15_000;

/** The alerts to everyone and those to this person, as one list. */
export class AlertFeed {
  readonly #everyone;
  readonly #own;
  readonly #seen = new Set<string>();

  constructor({ client, userId, onAlert }: AlertFeedOptions) {
    const take = (alert: Alert) => {
      if (this.#seen.has(alert.id)) return;
      this.#seen.add(alert.id);
      onAlert(alert, Math.abs(Date.now() - alert.at) < freshMs);
    };
    this.#everyone = client.channel('alerts', { rewind: 20 });
    this.#everyone.on('alert', take);
    this.#own = client.channel('user/:userId', { userId }, { rewind: 20 });
    this.#own.on('alert', take);
  }

  raise(draft: AlertDraft): Promise<unknown> {
    return this.#everyone.publish('raise', draft);
  }

  /** Tells the server of a new name; messages and alerts to come carry it. */
  rename(name: string): Promise<unknown> {
    return this.#own.request('rename', { name });
  }
}
