import { type Explanation, explain, type Finding, type NetworkChange } from '@runnel/client/diagnose';
import type { AppClient } from './app-client.ts';
import { byId, element, setText } from './element.ts';

interface DiagnosisPanelOptions {
  readonly client: AppClient;
  readonly changes: readonly NetworkChange[];
}

const copiedShownMs = 2_000;

/** What `explain` makes of the connection: the verdict, what was found, and all of it as text for a ticket. */
export class DiagnosisPanel {
  readonly #options: DiagnosisPanelOptions;
  readonly #verdict = byId('verdict', HTMLElement);
  readonly #text = byId('verdict-text', HTMLElement);
  readonly #findings = byId('findings', HTMLElement);
  readonly #copy = byId('copy-report', HTMLButtonElement);
  #drawn = '';

  constructor(options: DiagnosisPanelOptions) {
    this.#options = options;
    this.#copy.addEventListener('click', () => void this.#copyReport());
  }

  show(): void {
    const { verdict, health, transports, connection } = this.#explanation();
    this.#verdict.dataset['health'] = health;
    setText(this.#text, verdict);
    const findings = [...transports, ...connection];
    const fingerprint = JSON.stringify(findings);
    if (fingerprint === this.#drawn) return;
    this.#drawn = fingerprint;
    // Those that are open stay open.
    const open = new Set([...this.#findings.querySelectorAll('details[open]')].map((row) => keyOf(row)));
    this.#findings.replaceChildren(...findings.map(findingRow));
    for (const row of this.#findings.querySelectorAll('details')) row.open = open.has(keyOf(row));
  }

  #explanation(): Explanation {
    const { client, changes } = this.#options;
    const time = (at: number) => new Date(at).toLocaleTimeString([], { hour12: false });
    return explain(client.diagnose(), { online: navigator.onLine, changes, time });
  }

  async #copyReport(): Promise<void> {
    const { text } = this.#explanation();
    let said = 'Copied';
    try {
      // Only where the page is served over https, or from this machine.
      await navigator.clipboard.writeText(text);
    } catch {
      said = copyBySelection(text) ? said : 'Not copied';
    }
    setText(this.#copy, said);
    setTimeout(() => setText(this.#copy, 'Copy report'), copiedShownMs);
  }
}

/** As pages copied before there was a clipboard for them. */
function copyBySelection(text: string): boolean {
  const area = element('textarea', { class: 'visually-hidden', readonly: true }, text);
  document.body.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  return copied;
}

function keyOf(row: Element): string {
  return row.getAttribute('data-finding') ?? '';
}

function findingRow({ kind, transport, isProblem, title, evidence, meaning, remedies, retry }: Finding): HTMLElement {
  const summary = element('summary', {}, title);
  const paragraphs = [evidence, meaning, retry].filter((text) => text !== '');
  const attributes = {
    class: 'finding',
    'data-finding': `${transport ?? 'connection'}-${kind}`,
    'data-problem': String(isProblem),
  };
  if (paragraphs.length + remedies.length === 0) return element('p', attributes, title);
  return element(
    'details',
    attributes,
    summary,
    ...paragraphs.map((text) => element('p', {}, ...marked(text))),
    ...(remedies.length === 0 ? [] : [element('p', { class: 'finding-do' }, 'What to do:')]),
    element('ul', {}, ...remedies.map((text) => element('li', {}, ...marked(text)))),
  );
}

/** What stands between backticks is code. */
function marked(text: string): (Node | string)[] {
  return text.split('`').map((part, index) => (index % 2 === 1 ? element('code', {}, part) : part));
}
