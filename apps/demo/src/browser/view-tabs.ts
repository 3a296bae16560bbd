import { byId } from './element.ts';

/** On a narrow screen one part of the page shows at a time, and these tabs choose it. CSS does the rest. */
export class ViewTabs {
  readonly #app = byId('app', HTMLElement);
  readonly #buttons = [...document.querySelectorAll<HTMLButtonElement>('.tabs button')];

  constructor() {
    for (const button of this.#buttons) {
      button.addEventListener('click', () => this.show(button.dataset['view'] ?? 'chat'));
    }
  }

  get current(): string {
    return this.#app.dataset['view'] ?? 'chat';
  }

  show(view: string): void {
    this.#app.dataset['view'] = view;
    for (const button of this.#buttons) {
      if (button.dataset['view'] === view) button.setAttribute('aria-current', 'page');
      else button.removeAttribute('aria-current');
    }
    this.#app.dispatchEvent(new Event('viewchange'));
  }
}
