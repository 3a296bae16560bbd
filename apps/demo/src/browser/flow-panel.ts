import type { Tally } from '../contract.ts';
import { failureText } from '../failure-text.ts';
import { isFlawless, Sequence } from '../sequence.ts';
import { byId, element, setText } from './element.ts';
import type { FlowDisturbance } from './flow-disturbance.ts';
import type { FlowProgress } from './flow-test.ts';

interface FlowPanelOptions {
  readonly count: number;
  readonly run: (onProgress: (progress: FlowProgress) => void, signal: AbortSignal) => Promise<FlowProgress>;
  /** Disturbs the connection until the signal aborts. */
  readonly disturb: (signal: AbortSignal) => FlowDisturbance;
  /** The connection may be left in peace again. */
  readonly onEnd: () => void;
}

/** Starts and stops the flow test, and shows what came of it. */
export class FlowPanel {
  readonly #options: FlowPanelOptions;
  readonly #button = byId('flow-start', HTMLButtonElement);
  readonly #bar = byId('flow-progress', HTMLProgressElement);
  readonly #disturbed = byId('flow-disturbed', HTMLElement);
  readonly #result = byId('flow-result', HTMLElement);
  readonly #up = new FlowRow('Up');
  readonly #down = new FlowRow('Down');
  // Null while no test runs.
  #running: AbortController | null = null;

  constructor(options: FlowPanelOptions) {
    this.#options = options;
    setText(byId('flow-count', HTMLElement), options.count.toLocaleString());
    byId('flow-rows', HTMLTableSectionElement).append(this.#up.element, this.#down.element);
    this.#button.addEventListener('click', () => {
      if (this.#running === null) void this.#start();
      else this.#running.abort();
    });
    const none = new Sequence().tally();
    this.#show({ count: options.count, sentUp: 0, sentDown: 0, up: none, down: none });
  }

  async #start(): Promise<void> {
    const running = new AbortController();
    this.#running = running;
    setText(this.#button, 'Stop');
    this.#say('running', 'Running…');
    const startedAt = performance.now();
    const disturbance = this.#options.disturb(running.signal);
    try {
      const end = await this.#options.run((progress) => {
        this.#show(progress);
        const { switches, cuts } = disturbance;
        setText(this.#disturbed, `${switches} switches, ${cuts} cuts`);
      }, running.signal);
      this.#show(end);
      const { switches, cuts } = disturbance;
      const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
      const through = `through ${switches} switches and ${cuts} cuts in ${seconds} s`;
      const count = end.count.toLocaleString();
      const flawless = isFlawless(end.up) && isFlawless(end.down);
      if (flawless) this.#say('passed', `${count} up and ${count} down, each once and in order, ${through}.`);
      else this.#say('failed', `Not every message came once and in order, ${through}.`);
    } catch (error) {
      this.#say('failed', `The test ended early: ${failureText(error)}.`);
    } finally {
      running.abort();
      setText(this.#disturbed, '');
      this.#running = null;
      this.#options.onEnd();
      setText(this.#button, 'Start');
    }
  }

  #show({ count, sentUp, sentDown, up, down }: FlowProgress): void {
    this.#bar.value = (up.received + down.received) / (2 * count);
    this.#up.show(sentUp, up);
    // What the server says of itself may be older than what it has sent.
    this.#down.show(Math.max(sentDown, down.received), down);
  }

  #say(state: 'running' | 'passed' | 'failed', text: string): void {
    this.#result.dataset['state'] = state;
    setText(this.#result, text);
  }
}

class FlowRow {
  readonly element: HTMLTableRowElement;
  readonly #cells = ['sent', 'received', 'lost', 'repeated', 'disordered'].map((name) =>
    element('td', { 'data-count': name }, '0'),
  );

  constructor(title: string) {
    this.element = element(
      'tr',
      { 'data-flow': title.toLowerCase() },
      element('th', { scope: 'row' }, title),
      ...this.#cells,
    );
  }

  show(sent: number, { received, missing, repeated, disordered }: Tally): void {
    [sent, received, missing, repeated, disordered].forEach((value, index) => {
      const cell = this.#cells[index];
      if (cell === undefined) return;
      setText(cell, value.toLocaleString());
      cell.dataset['wrong'] = String(index > 1 && value > 0);
    });
  }
}
