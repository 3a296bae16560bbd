/**
 * How the attach came in that each session was opened or resumed with last: fresh credentials that come in band are judged as they would be with an attach.
 * It stands between the session registry and the application, where the session of an attach can be seen, and hands everything on.
 */
import type { AppUpFrame, AttachSub, Identity, ServerApp, ServerSession } from '@runnel/protocol';
import type { Handshake } from './handshake.ts';
import type { SharedLine } from './shared-line.ts';

export interface Opening {
  readonly handshake: Handshake;
  /** Whether the app has said itself who it is, so that `authenticate` was not asked. */
  readonly known: boolean;
}

type Session<I extends Identity> = ServerSession<SharedLine, I>;

export class Openings<I extends Identity> implements Required<ServerApp<SharedLine, I>> {
  readonly #app: ServerApp<SharedLine, I>;
  /** By the public name of the session; goes with the session. */
  readonly #byClient = new Map<string, Opening>();
  /** Of the attach under way, which takes one turn; null between attaches. */
  #current: Opening | null = null;

  constructor(app: ServerApp<SharedLine, I>) {
    this.#app = app;
  }

  get(client: string): Opening | undefined {
    return this.#byClient.get(client);
  }

  /** Whatever session `attach` creates or resumes was opened so. */
  during(opening: Opening, attach: () => void): void {
    this.#current = opening;
    try {
      attach();
    } finally {
      this.#current = null;
    }
  }

  created(session: Session<I>, subs: readonly AttachSub[], settled: () => void): void {
    this.#note(session);
    this.#app.created(session, subs, settled);
  }
  resumed(session: Session<I>): void {
    this.#note(session);
    this.#app.resumed(session);
  }
  ended(session: Session<I>, code: string): void {
    this.#byClient.delete(session.client);
    this.#app.ended(session, code);
  }
  frame(session: Session<I>, frame: AppUpFrame): void {
    this.#app.frame(session, frame);
  }
  confirmed(session: Session<I>): void {
    this.#app.confirmed(session);
  }
  reachable(session: Session<I>, reachable: boolean): void {
    this.#app.reachable(session, reachable);
  }
  overflowed(session: Session<I>): void {
    this.#app.overflowed?.(session);
  }

  #note({ client }: Session<I>): void {
    if (this.#current !== null) this.#byClient.set(client, this.#current);
  }
}
