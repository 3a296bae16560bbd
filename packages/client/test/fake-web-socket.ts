import type { WebSocketLike } from '../src/index.ts';
import type { World } from './world.ts';

interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** A WebSocket over the network of a world. */
export class FakeWebSocket implements WebSocketLike {
  onopen: unknown = null;
  onmessage: unknown = null;
  onclose: unknown = null;
  onerror: unknown = null;
  readonly url: string;
  readonly sent: string[] = [];
  /** How the client has closed it; null while it has not. */
  closed: Closed | null = null;
  readonly #world: World;
  #end: ReturnType<World['server']['openSocket']> | null = null;
  #over = false;

  constructor(url: string, world: World) {
    this.url = url;
    this.#world = world;
    this.#later(() => {
      if (!world.webSockets || !world.online) {
        this.#over = true;
        call(this.onerror, {});
        call(this.onclose, { code: 1006 });
        return;
      }
      this.#end = world.server.openSocket({
        lines: (lines) => this.#later(() => call(this.onmessage, { data: lines.join('\n') })),
        end: () => this.#later(() => this.break(4_000)),
      });
      call(this.onopen, {});
    });
  }

  send(text: string): void {
    this.sent.push(text);
    this.#later(() => this.#end?.message(text));
  }

  close(code = 1000, reason = ''): void {
    if (this.closed !== null) return;
    if (reason.length > 123 || (code !== 1000 && code < 3000)) throw new SyntaxError('no such close');
    this.closed = { code, reason };
    this.#world.time.after(this.#world.delayMs, () => this.#end?.closed());
    this.#over = true;
  }

  /** The network breaks it, or the server closes it. */
  break(code = 1006): void {
    if (this.#over) return;
    this.#over = true;
    this.#end?.closed();
    call(this.onclose, { code });
  }

  #later(run: () => void): void {
    this.#world.time.after(this.#world.delayMs, () => {
      if (!this.#over) run();
    });
  }
}

function call(handler: unknown, event: unknown): void {
  if (typeof handler === 'function') handler(event);
}
