import { failureText } from '../failure-text.ts';
import { type Trouble, troubles } from '../troubles.ts';
import { byId, element, setText } from './element.ts';

interface TroublePanelOptions {
  /** Names this tab at the server: only its own connections suffer. */
  readonly tab: string;
  /** Called before a trouble strikes; it waits. */
  readonly prepare: (forMs: number) => Promise<void>;
  readonly onStrike: (trouble: Trouble) => void;
  readonly onMend: () => void;
}

const countEveryMs = 250;

/** Spoils the network between this page and the server for a few seconds, to see what becomes of the session. */
export class TroublePanel {
  readonly #options: TroublePanelOptions;
  readonly #seconds = byId('trouble-seconds', HTMLSelectElement);
  readonly #mend = byId('trouble-mend', HTMLButtonElement);
  readonly #note = byId('trouble-note', HTMLElement);
  readonly #buttons = new Map<Trouble, HTMLButtonElement>();
  // Null while the network is left alone.
  #running: {
    readonly trouble: Trouble;
    readonly until: number;
    readonly timer: ReturnType<typeof setInterval>;
  } | null = null;

  constructor(options: TroublePanelOptions) {
    this.#options = options;
    for (const trouble of troubles) {
      const button = element(
        'button',
        {
          class: 'button quiet trouble',
          type: 'button',
          title: trouble.text,
          'data-trouble': trouble.name,
          'aria-pressed': 'false',
        },
        trouble.title,
      );
      button.addEventListener('click', () => void this.#strike(trouble));
      this.#buttons.set(trouble, button);
      byId('troubles', HTMLElement).append(button);
    }
    this.#mend.addEventListener('click', () => void this.#call('DELETE', '').then(() => this.#over()));
  }

  async #strike(trouble: Trouble): Promise<void> {
    const seconds = this.#seconds.value;
    const forMs = Number(seconds) * 1_000;
    await this.#options.prepare(forMs);
    // Told first: what it does to the connection is seen before the answer is.
    this.#over();
    this.#options.onStrike(trouble);
    const until = Date.now() + forMs;
    this.#running = { trouble, until, timer: setInterval(() => this.#count(), countEveryMs) };
    this.#buttons.get(trouble)?.setAttribute('aria-pressed', 'true');
    this.#mend.disabled = false;
    this.#count();
    const struck = await this.#call('POST', `&trouble=${trouble.name}&seconds=${seconds}`);
    if (!struck) this.#over();
  }

  #count(): void {
    if (this.#running === null) return;
    const { trouble, until } = this.#running;
    const left = Math.ceil((until - Date.now()) / 1_000);
    if (left <= 0) this.#over();
    else setText(this.#note, `${left} s: ${trouble.text}.`);
  }

  #over(): void {
    if (this.#running === null) return;
    clearInterval(this.#running.timer);
    this.#buttons.get(this.#running.trouble)?.setAttribute('aria-pressed', 'false');
    this.#running = null;
    this.#mend.disabled = true;
    setText(this.#note, '');
    this.#options.onMend();
  }

  /** Resolves to whether the server did it. */
  async #call(method: 'POST' | 'DELETE', more: string): Promise<boolean> {
    try {
      const response = await fetch(`demo/network?tab=${this.#options.tab}${more}`, { method });
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      return true;
    } catch (error) {
      setText(this.#note, `Not done: ${failureText(error)}.`);
      return false;
    }
  }
}
