import type { Alert } from '../contract.ts';
import { alertBody } from './alert-item.ts';
import { byId, drawing, element } from './element.ts';

const shownMs = 8_000;
const shownMax = 4;

/**
 * Shows an alert over the page for a while. A critical one stays until it is dismissed, and interrupts a screen reader.
 * None takes the focus; Escape dismisses the newest.
 */
export class Toasts {
  readonly #polite = byId('toasts-polite', HTMLElement);
  readonly #urgent = byId('toasts-urgent', HTMLElement);
  readonly #ownId: string;
  // Oldest first.
  #shown: HTMLElement[] = [];

  constructor(ownId: string) {
    this.#ownId = ownId;
    document.addEventListener('keydown', (event) => {
      const newest = this.#shown.at(-1);
      if (event.key === 'Escape' && newest !== undefined) this.#dismiss(newest);
    });
  }

  show(alert: Alert): void {
    const urgent = alert.severity === 'critical';
    const close = element(
      'button',
      { class: 'icon-button toast-close', type: 'button', 'aria-label': 'Dismiss' },
      drawing('svg', { viewBox: '0 0 20 20', 'aria-hidden': 'true' }, drawing('path', { d: 'M5 5l10 10M15 5L5 15' })),
    );
    const toast = element(
      'div',
      { class: 'toast', 'data-testid': 'toast', 'data-severity': alert.severity },
      ...alertBody(alert, this.#ownId),
      close,
    );
    close.addEventListener('click', () => this.#dismiss(toast));
    this.#shown.push(toast);
    (urgent ? this.#urgent : this.#polite).append(toast);
    if (!urgent) this.#dismissInTime(toast);
    while (this.#shown.length > shownMax) this.#dismiss(this.#shown[0] ?? toast);
  }

  /** Time stands still while it is pointed at or holds the focus. */
  #dismissInTime(toast: HTMLElement): void {
    let timer: ReturnType<typeof setTimeout>;
    const start = () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#dismiss(toast), shownMs);
    };
    for (const event of ['pointerenter', 'focusin']) toast.addEventListener(event, () => clearTimeout(timer));
    for (const event of ['pointerleave', 'focusout']) toast.addEventListener(event, start);
    start();
  }

  #dismiss(toast: HTMLElement): void {
    this.#shown = this.#shown.filter((other) => other !== toast);
    toast.remove();
  }
}
