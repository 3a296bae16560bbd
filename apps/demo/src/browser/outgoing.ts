import { failureText } from '../failure-text.ts';

export type Delivery = { readonly state: 'sending' } | { readonly state: 'failed'; readonly reason: string };

/** A message of one's own that the room has not shown yet. Nothing counts as sent before the server has said so. */
export class Outgoing {
  readonly id: string;
  readonly text: string;
  /** When it was written, by the clock of this device. */
  readonly at: number;
  delivery: Delivery = { state: 'sending' };
  readonly #publish: (message: { id: string; text: string }) => Promise<unknown>;

  constructor(options: {
    id: string;
    text: string;
    at: number;
    publish: (message: { id: string; text: string }) => Promise<unknown>;
  }) {
    this.id = options.id;
    this.text = options.text;
    this.at = options.at;
    this.#publish = options.publish;
  }

  /** May be called again after it has failed: the id stays, so nobody sees the message twice. */
  async send(onChange: () => void): Promise<void> {
    this.delivery = { state: 'sending' };
    onChange();
    try {
      await this.#publish({ id: this.id, text: this.text });
    } catch (error) {
      this.delivery = { state: 'failed', reason: failureText(error) };
      onChange();
    }
  }
}
