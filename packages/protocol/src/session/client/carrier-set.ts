/** The carriers that are open, by number, and the effects that wait to be carried out on them. */
import type { Carrier, Socket } from './carriers.ts';
import type { Effect } from './ports.ts';

export class CarrierSet {
  readonly #open = new Map<number, Carrier>();
  #effects: Effect[] = [];
  #lastId = 0;

  get(id: number): Carrier | undefined {
    return this.#open.get(id);
  }
  get size(): number {
    return this.#open.size;
  }

  openSocket(now: number, deadline: number): Socket {
    const socket: Socket = {
      kind: 'websocket',
      id: this.#nextId(),
      openedAt: now,
      heardAt: now,
      sid: null,
      next: 0,
      phase: 'opening',
      awaiting: false,
      probedAt: now,
      deadline,
    };
    this.#open.set(socket.id, socket);
    this.effect({ type: 'open', carrier: socket.id });
    return socket;
  }

  /** Sends a request. Each of `lines` gets its line end. */
  request<C extends Exclude<Carrier, Socket>>(
    spec: Omit<C, 'id' | 'openedAt' | 'heardAt'>,
    lines: readonly string[],
    now: number,
  ): C {
    const carrier = { ...spec, id: this.#nextId(), openedAt: now, heardAt: now } as C;
    this.#open.set(carrier.id, carrier);
    const stream = carrier.kind === 'stream' || carrier.kind === 'probe';
    this.effect({ type: 'request', carrier: carrier.id, body: `${lines.join('\n')}\n`, stream });
    return carrier;
  }

  send(socket: Socket, text: string): void {
    this.effect({ type: 'send', carrier: socket.id, text });
  }

  /** Closes or aborts a carrier; nothing more is heard of it, and what it is told, a socket hears. One that is gone already is left alone. */
  drop(carrier: Carrier | null, reason = '', code = 1000): void {
    if (carrier !== null && this.#open.delete(carrier.id)) {
      this.effect({ type: 'drop', carrier: carrier.id, code, reason });
    }
  }

  /** Drops everything, but for one carrier. */
  dropAll(reason: string, except: Carrier | null = null): void {
    for (const carrier of [...this.#open.values()]) if (carrier !== except) this.drop(carrier, reason);
  }

  /** The outside has reported its end. */
  forget(carrier: Carrier): void {
    this.#open.delete(carrier.id);
  }

  effect(effect: Effect): void {
    this.#effects.push(effect);
  }

  takeEffects(): Effect[] {
    if (this.#effects.length === 0) return this.#effects;
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }
}
