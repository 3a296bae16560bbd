import type { Transport } from '@runnel/client';
import { byId, element } from './element.ts';

export type Choice = 'auto' | Transport;

const choices: readonly (readonly [Choice, string])[] = [
  ['auto', 'Auto'],
  ['websocket', 'WebSocket'],
  ['stream', 'Stream'],
  ['poll', 'Poll'],
];

/** Chooses the transport. A radio group: arrow keys move, and what is chosen is used at once. */
export class TransportSwitch {
  readonly #inputs = new Map<Choice, HTMLInputElement>();

  /** @param pinned the only transport there is, where the address pins one */
  constructor(pinned: Transport | undefined, onChoose: (choice: Choice) => void) {
    const group = byId('transport-switch', HTMLFieldSetElement);
    for (const [choice, title] of choices) {
      const input = element('input', { type: 'radio', name: 'transport', value: choice });
      input.disabled = pinned !== undefined && choice !== pinned;
      input.addEventListener('change', () => onChoose(choice));
      this.#inputs.set(choice, input);
      group.append(element('label', { class: 'segment', 'data-transport': choice }, title, input));
    }
    this.show(pinned ?? 'auto');
  }

  show(choice: Choice): void {
    const input = this.#inputs.get(choice);
    if (input !== undefined) input.checked = true;
  }
}
