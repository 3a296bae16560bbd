import type { Alert } from '../contract.ts';
import { alertBody } from './alert-item.ts';
import { byId, element, setText } from './element.ts';
import type { ViewTabs } from './view-tabs.ts';

const shownMax = 50;

/** All alerts, newest first, and on a narrow screen how many came while another part was looked at. */
export class AlertList {
  readonly #list = byId('alert-list', HTMLOListElement);
  readonly #count = byId('alerts-count', HTMLElement);
  readonly #badge = byId('alerts-badge', HTMLElement);
  readonly #tabs: ViewTabs;
  readonly #ownId: string;
  // Newest first, as shown.
  #alerts: Alert[] = [];
  #missed = 0;

  constructor(tabs: ViewTabs, ownId: string) {
    this.#tabs = tabs;
    this.#ownId = ownId;
    byId('app', HTMLElement).addEventListener('viewchange', () => this.#setMissed(0));
  }

  add(alert: Alert, fresh: boolean): void {
    // Two channels, so an older one may come after a newer one.
    const later = this.#alerts.findIndex(({ at }) => at <= alert.at);
    const at = later === -1 ? this.#alerts.length : later;
    this.#alerts.splice(at, 0, alert);
    const attributes = { class: 'alert', 'data-testid': 'alert', 'data-severity': alert.severity, 'data-id': alert.id };
    const item = element('li', attributes, ...alertBody(alert, this.#ownId));
    this.#list.insertBefore(item, this.#list.children[at] ?? null);
    while (this.#alerts.length > shownMax) {
      this.#alerts.pop();
      this.#list.lastElementChild?.remove();
    }
    setText(this.#count, String(this.#alerts.length));
    if (fresh && this.#tabs.current !== 'alerts') this.#setMissed(this.#missed + 1);
  }

  #setMissed(missed: number): void {
    this.#missed = this.#tabs.current === 'alerts' ? 0 : missed;
    this.#badge.hidden = this.#missed === 0;
    setText(this.#badge, String(this.#missed));
  }
}
