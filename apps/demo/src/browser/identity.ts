import type { Person } from '../contract.ts';
import { demoLimits } from '../limits.ts';
import { randomName } from '../random-name.ts';
import { byId } from './element.ts';
import { randomId } from './random-id.ts';
import { readStored, store } from './storage.ts';

/**
 * Who this tab is. The id belongs to the tab, so that two tabs are two people; a name that was typed is kept for all
 * tabs to come, one that was made up only for this one.
 */
export class Identity {
  readonly userId: string;
  /** Whether the name has been changed since the page was opened. */
  renamed = false;
  #name: string;
  readonly #input = byId('name', HTMLInputElement);
  readonly #onRename: (name: string) => void;

  constructor(onRename: (name: string) => void) {
    this.#onRename = onRename;
    this.userId = readStored('session', 'user') ?? store('session', 'user', randomId());
    this.#name =
      readStored('session', 'name') ?? readStored('local', 'name') ?? store('session', 'name', randomName(Math.random));
    this.#input.value = this.#name;
    this.#input.maxLength = demoLimits.nameLengthMax;
    this.#input.addEventListener('change', () => this.#rename());
    this.#input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && !event.isComposing) this.#input.blur();
    });
  }

  get person(): Person {
    return { userId: this.userId, name: this.#name };
  }

  #rename(): void {
    const name = this.#input.value.trim();
    this.#input.value = name === '' ? this.#name : name;
    if (name === '' || name === this.#name) return;
    this.#name = store('session', 'name', store('local', 'name', name));
    this.renamed = true;
    this.#onRename(name);
  }
}
