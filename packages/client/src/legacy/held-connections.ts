/**
 * Which tabs may hold a connection open: those that are visible, as everywhere where there are no locks. Stands in for `../held-connections.ts`.
 */
import { page } from './page.ts';

export class HeldConnections {
  readonly #tell: (scarce: boolean) => void;
  #wanted = false;
  readonly #look = (): void => this.#tell(page.document?.visibilityState === 'hidden');

  /** @param tell is told whether no connection may be held open for now */
  constructor(_locks: unknown, _origin: string, tell: (scarce: boolean) => void) {
    this.#tell = tell;
  }

  /** Whether one is to be held open, or would be. */
  want(wanted: boolean): void {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    if (!wanted) page.document?.removeEventListener('visibilitychange', this.#look);
    else if (page.document) {
      page.document.addEventListener('visibilitychange', this.#look);
      this.#look();
    }
  }
}
