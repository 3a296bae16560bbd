import type { Transport } from '@runnel/client';

const transports: readonly Transport[] = ['websocket', 'stream', 'poll'];

/** What the page's address says: `?transport=` pins one, `?room=` selects one and follows what is selected later. */
export class PageAddress {
  readonly pinned: Transport | undefined;
  readonly #url = new URL(location.href);

  constructor() {
    const wanted = this.#url.searchParams.get('transport');
    this.pinned = transports.find((transport) => transport === wanted);
  }

  get room(): string | null {
    return this.#url.searchParams.get('room');
  }

  selectRoom(id: string): void {
    this.#url.searchParams.set('room', id);
    history.replaceState(null, '', this.#url);
  }
}
