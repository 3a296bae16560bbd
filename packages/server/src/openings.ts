/**
 * How the attach came in that each session was opened or resumed with last: fresh credentials that come in band are judged as they would be with an attach.
 * It stands between the session registry and the application, where the session of an attach can be seen, and hands everything on.
 */
import type { AppUpFrame, AttachSub, Identity, ServerApp, ServerSession } from '@runnel/protocol';
import { Handshake } from './handshake.ts';
import type { SharedLine } from './shared-line.ts';

type Session<I extends Identity> = ServerSession<SharedLine, I>;

/** Kept with the session. */
export function openingOf<I extends Identity>({ opening }: Session<I>): Handshake | null {
  return opening instanceof Handshake ? opening : null;
}

export class Openings<I extends Identity> implements Required<ServerApp<SharedLine, I>> {
  readonly #app: ServerApp<SharedLine, I>;
  /** Of the attach under way, which takes one turn; null between attaches. */
  #current: Handshake | null = null;

  constructor(app: ServerApp<SharedLine, I>) {
    this.#app = app;
  }

  /** Whatever session `attach` creates or resumes was opened so. */
  during(opening: Handshake, attach: () => void): void {
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
    session.opening = null;
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

  #note(session: Session<I>): void {
    if (this.#current !== null) session.opening = this.#current;
  }
}
