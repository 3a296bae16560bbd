import { shortDuration } from '../time-text.ts';
import { byId, setText } from './element.ts';
import type { LinkSample } from './link-monitor.ts';

/** The state of the connection at the top of the page. */
export class ConnectionStatus {
  readonly #status = byId('status', HTMLElement);
  readonly #state = byId('connection-state', HTMLElement);
  readonly #transport = byId('transport', HTMLElement);
  readonly #trip = byId('status-trip', HTMLElement);

  show(sample: LinkSample): void {
    this.#status.dataset['state'] = sample.state;
    this.#status.title = sample.reason;
    this.#state.dataset['reason'] = sample.reason;
    setText(this.#state, sample.state);
    setText(this.#transport, sample.transport ?? '');
    setText(this.#trip, sample.tripMs === null ? '' : shortDuration(sample.tripMs));
  }
}
