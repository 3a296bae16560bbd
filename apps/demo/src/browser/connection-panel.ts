import { RunnelError, type Transport } from '@runnel/client';
import { failureText } from '../failure-text.ts';
import type { AppClient } from './app-client.ts';
import { AttemptList } from './attempt-list.ts';
import { ConnectionFigures } from './connection-figures.ts';
import { byId, setText } from './element.ts';
import type { LinkSample } from './link-monitor.ts';
import { TransportStrip } from './transport-strip.ts';
import { type Choice, TransportSwitch } from './transport-switch.ts';

interface ConnectionPanelOptions {
  readonly client: AppClient;
  readonly cutKey: string;
  readonly pinned: Transport | undefined;
  /** Told what is chosen, when it is. */
  readonly onChoose: (choice: Choice) => void;
}

/** How the session is carried, and what one can do to it. */
export class ConnectionPanel {
  readonly #client: AppClient;
  readonly #cutKey: string;
  readonly #onChoose: (choice: Choice) => void;
  readonly #figures = new ConnectionFigures();
  readonly #attempts = new AttemptList();
  readonly #strip = new TransportStrip();
  readonly #switch: TransportSwitch;
  readonly #note = byId('link-note', HTMLElement);

  constructor({ client, cutKey, pinned, onChoose }: ConnectionPanelOptions) {
    this.#client = client;
    this.#cutKey = cutKey;
    this.#onChoose = onChoose;
    this.#switch = new TransportSwitch(pinned, (choice) => void this.use(choice));
    byId('cut', HTMLButtonElement).addEventListener('click', () => void this.cut());
  }

  show(sample: LinkSample): void {
    this.#figures.show(sample);
    this.#attempts.show(sample);
    this.#strip.show(sample);
  }

  /** Resolves to whether the session has come to the transport. */
  async use(choice: Choice): Promise<boolean> {
    this.#switch.show(choice);
    this.#onChoose(choice);
    try {
      await this.#client.use(choice);
      return true;
    } catch (error) {
      // `canceled`: another choice came before this one was settled.
      if (!RunnelError.is(error) || error.code !== 'canceled') {
        this.#switch.show(this.#client.diagnose().choice);
        setText(this.#note, `Not switched to ${choice}: ${failureText(error)}.`);
      }
      return false;
    }
  }

  /** Has the server destroy the TCP connections that carry this session right now; resolves to their number. */
  async cut(): Promise<number> {
    this.#strip.markCut(Date.now());
    try {
      const response = await fetch(`demo/cut?tab=${this.#cutKey}`, { method: 'POST' });
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      const { cut } = (await response.json()) as { cut: number };
      setText(this.#note, `${cut} TCP ${cut === 1 ? 'connection' : 'connections'} destroyed.`);
      return cut;
    } catch (error) {
      setText(this.#note, `Not cut: ${failureText(error)}.`);
      return 0;
    }
  }
}
