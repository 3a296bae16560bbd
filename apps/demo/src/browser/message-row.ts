import type { Person } from '../contract.ts';
import { timeOfDay } from '../time-text.ts';
import { avatar } from './avatar.ts';
import { element } from './element.ts';
import type { Delivery } from './outgoing.ts';

interface MessageRowOptions {
  readonly id: string;
  readonly from: Person;
  readonly text: string;
  readonly at: number;
  readonly self: boolean;
  readonly onRetry?: () => void;
}

const continuedMs = 5 * 60_000;

/** One message on the page; while it is one's own and on its way, it says how far it has got. */
export class MessageRow {
  readonly id: string;
  readonly element: HTMLLIElement;
  readonly #from: Person;
  readonly #onRetry: (() => void) | undefined;
  readonly #time = element('time', { class: 'message-time' });
  readonly #delivery = element('span', { class: 'message-delivery' });
  #at = 0;

  constructor({ id, from, text, at, self, onRetry }: MessageRowOptions) {
    this.id = id;
    this.#from = from;
    this.#onRetry = onRetry;
    this.element = element(
      'li',
      { class: 'message', 'data-testid': 'message', 'data-id': id, 'data-self': self ? 'true' : undefined },
      avatar(from),
      element('span', { class: 'message-by' }, element('span', { class: 'message-name' }, from.name), this.#time),
      element('span', { class: 'message-text', dir: 'auto' }, text),
    );
    if (self) this.element.append(this.#delivery);
    this.#setTime(at);
  }

  /** Leaves the name out where the same person has just spoken. */
  follow(previous: MessageRow | undefined): void {
    const continued =
      previous !== undefined &&
      previous.#from.userId === this.#from.userId &&
      previous.#from.name === this.#from.name &&
      this.#at - previous.#at < continuedMs;
    this.element.dataset['continued'] = String(continued);
  }

  /** The room has shown it: `at` is the server's time now. */
  setSent(at: number): void {
    this.#setTime(at);
    this.element.dataset['state'] = 'sent';
    this.#delivery.replaceChildren('Sent');
  }

  setDelivery(delivery: Delivery): void {
    this.element.dataset['state'] = delivery.state;
    if (delivery.state === 'sending') {
      this.#delivery.replaceChildren('Sending…');
      return;
    }
    const retry = element('button', { class: 'link-button', type: 'button' }, 'Send again');
    retry.addEventListener('click', () => this.#onRetry?.());
    this.#delivery.replaceChildren(`Not sent: ${delivery.reason}.`, retry);
  }

  #setTime(at: number): void {
    this.#at = at;
    this.#time.dateTime = new Date(at).toISOString();
    this.#time.textContent = timeOfDay(at, Date.now());
  }
}
