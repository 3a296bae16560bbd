/** Which transports may carry the session, and which of them it would rather have: what the options allow, what `use` narrowed that to, what the server has. */
import { TRANSPORTS, type Transport } from '../../wire/frames.ts';
import type { Identity } from './identity.ts';

export class TransportChoice {
  readonly #options: readonly Transport[];
  readonly #identity: Identity;
  /** The options' transports, or the one that `use` asked for. */
  #wanted: readonly Transport[];
  /** Whether no HTTP connection may be kept open: a stream is used only where there is no poll to take its place. */
  scarce = false;

  constructor(options: readonly Transport[], identity: Identity) {
    this.#options = options;
    this.#wanted = options;
    this.#identity = identity;
  }

  use(transport: Transport | 'auto'): void {
    this.#wanted = transport === 'auto' ? this.#options : [transport];
  }

  /** Whether it is wanted and the server has it. Where these exclude each other, what the server has is used. */
  allows(transport: Transport): boolean {
    const { offered } = this.#identity;
    const has = (one: Transport): boolean => offered === null || offered.includes(one);
    const allowed = [this.#wanted, this.#options].find((wish) => wish.some(has)) ?? offered;
    if (transport === 'stream' && this.scarce && this.allows('poll')) return false;
    return has(transport) && allowed?.includes(transport) === true;
  }

  /** Whether nothing but WebSocket is allowed. */
  get onlyWebSocket(): boolean {
    return !this.allows('stream') && !this.allows('poll');
  }

  /** Whether the session would rather be carried by `transport` than by `mode`; by anything rather than by nothing. */
  isBetter(transport: Transport, mode: Transport | null): boolean {
    if (!this.allows(transport) || transport === mode) return false;
    return mode === null || !this.allows(mode) || TRANSPORTS.indexOf(transport) < TRANSPORTS.indexOf(mode);
  }
}
