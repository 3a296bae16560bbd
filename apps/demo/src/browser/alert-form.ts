import type { AlertDraft, Person, Severity } from '../contract.ts';
import { failureText } from '../failure-text.ts';
import { demoLimits } from '../limits.ts';
import { byId, element, setText } from './element.ts';
import { randomId } from './random-id.ts';

/** Raises an alert, to everyone or to one of those who are anywhere in the rooms. */
export class AlertForm {
  readonly #form = byId('alert-form', HTMLFormElement);
  readonly #text = byId('alert-text', HTMLInputElement);
  readonly #severity = byId('alert-severity', HTMLSelectElement);
  readonly #target = byId('alert-target', HTMLSelectElement);
  readonly #note = byId('alert-note', HTMLElement);
  readonly #raise: (draft: AlertDraft) => Promise<unknown>;
  // What was sent last without success: sent again unchanged, it is the same alert and has the same id.
  #failed: AlertDraft | null = null;

  constructor(raise: (draft: AlertDraft) => Promise<unknown>) {
    this.#raise = raise;
    this.#text.maxLength = demoLimits.alertLengthMax;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit();
    });
  }

  setPeople(people: readonly Person[]): void {
    const offered = people.map(({ userId, name }) => `${userId} ${name}`).join('\n');
    if (this.#target.dataset['offered'] === offered) return;
    this.#target.dataset['offered'] = offered;
    const chosen = this.#target.value;
    const everyone = element('option', { value: '' }, 'To everyone');
    const options = people.map(({ userId, name }) => element('option', { value: userId }, `To ${name}`));
    this.#target.replaceChildren(everyone, ...options);
    this.#target.value = people.some(({ userId }) => userId === chosen) ? chosen : '';
  }

  async #submit(): Promise<void> {
    const text = this.#text.value.trim();
    if (text === '') {
      this.#text.focus();
      return;
    }
    const draft = { text, severity: this.#severity.value as Severity, to: this.#target.value || null };
    const again = this.#failed;
    const same = again?.text === text && again.severity === draft.severity && again.to === draft.to;
    const sent = { ...draft, id: same && again !== null ? again.id : randomId() };
    const to = this.#target.selectedOptions[0]?.textContent?.replace(/^To/, 'to') ?? '';
    this.#text.value = '';
    this.#say('sending', 'Sending…');
    try {
      await this.#raise(sent);
      this.#failed = null;
      this.#say('sent', `Sent ${to}.`);
    } catch (error) {
      this.#failed = sent;
      if (this.#text.value === '') this.#text.value = text;
      this.#say('failed', `Not sent: ${failureText(error)}.`);
    }
  }

  #say(state: 'sending' | 'sent' | 'failed', text: string): void {
    this.#note.dataset['state'] = state;
    setText(this.#note, text);
  }
}
