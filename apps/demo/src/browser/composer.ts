import { demoLimits } from '../limits.ts';
import { byId, setText } from './element.ts';

/** Where one writes: Enter sends, Shift+Enter starts a line. A draft stays with its room. */
export class Composer {
  readonly #form = byId('composer-form', HTMLFormElement);
  readonly #input = byId('composer', HTMLTextAreaElement);
  readonly #note = byId('composer-note', HTMLElement);
  readonly #drafts = new Map<string, string>();
  #roomId = '';

  constructor(options: { onSend: (text: string) => void; onTyping: () => void }) {
    this.#input.maxLength = demoLimits.textLengthMax;
    this.#input.addEventListener('input', () => {
      this.#showSpaceLeft();
      if (this.#input.value.trim() !== '') options.onTyping();
    });
    this.#input.addEventListener('keydown', (event) => {
      // While a word is being composed, Enter belongs to the input method.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      const text = this.#input.value.trim();
      if (text === '') return;
      this.#input.value = '';
      this.#showSpaceLeft();
      options.onSend(text);
      this.#input.focus();
    });
  }

  show(room: { id: string; title: string }): void {
    this.#drafts.set(this.#roomId, this.#input.value);
    this.#roomId = room.id;
    this.#input.value = this.#drafts.get(room.id) ?? '';
    this.#input.placeholder = `Message ${room.title}`;
    this.#showSpaceLeft();
  }

  #showSpaceLeft(): void {
    const left = demoLimits.textLengthMax - this.#input.value.length;
    setText(this.#note, left <= 100 ? `${left} characters left` : '');
  }
}
