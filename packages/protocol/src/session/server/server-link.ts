/**
 * One WebSocket or stream body at the server. A link is either *fresh* (no attach yet), *current* (its session's `link` is it) or *parked*
 * (superseded: it hears attach, probe and ping for a while, PROTOCOL §6.5). Only a current link carries counted frames.
 */
import { RunnelError } from '../../errors.ts';
import { Type, type UpFrame } from '../../wire/frames.ts';
import type { Owner } from '../deadlines.ts';
import type { Line } from '../ledger.ts';
import { clipReason } from '../reason.ts';
import type { Identity, LinkPort } from './ports.ts';
import type { ServerSession } from './server-session.ts';
import type { SessionRegistry } from './session-registry.ts';

/** A link on which nothing was heard for this many heartbeats is taken for dead. */
const SILENT_HEARTBEATS = 2.5;
/** A fresh link that has not attached after this many park times is closed. */
const FRESH_PARKS = 3;

export class ServerLink<L extends Line, I extends Identity> implements Owner {
  readonly port: LinkPort<L>;
  readonly #registry: SessionRegistry<L, I>;
  /** The session whose attach it carried last; null while fresh. */
  session: ServerSession<L, I> | null = null;
  /** Number of the next counted frame to go down; set by each accepted attach. */
  next = 0;
  place = -1;
  /** When anything last came up. */
  #heardAt: number;
  /** While current: when the next ping is due. While fresh or parked: when the link is given up. */
  #dueAt: number;
  #closed = false;

  constructor(registry: SessionRegistry<L, I>, port: LinkPort<L>, now: number) {
    this.#registry = registry;
    this.port = port;
    this.#heardAt = now;
    this.#dueAt = now + FRESH_PARKS * registry.limits.parkMs;
  }

  get isCurrent(): boolean {
    return this.session !== null && this.session.link === this;
  }
  get closed(): boolean {
    return this.#closed;
  }

  /** One frame from the client; `size` is its length on the wire. An attach goes to the registry instead, once it is authenticated. */
  handleFrame(frame: UpFrame, size: number, now: number): void {
    if (this.#closed) return;
    this.#heardAt = now;
    const current = this.isCurrent ? this.session : null;
    if (frame[0] === Type.probe) {
      this.port.write([this.#registry.encode([Type.probed, frame[1]])]);
    } else if (frame[0] === Type.ping) {
      if (current !== null && frame[2] !== undefined && !current.acknowledge(frame[2], now)) return;
      current?.confirm();
      this.port.write([
        this.#registry.encode(current === null ? [Type.pong, frame[1]] : [Type.pong, frame[1], current.tellRx()]),
      ]);
    } else {
      // PROTOCOL §8.4: from a link of another generation nothing else is heard, but for the client's goodbye.
      const hearer = frame[0] === Type.goaway ? this.session : current;
      hearer?.handleFrame(frame, size, now);
    }
  }

  /** The client was heard of on another carrier: a stream's client speaks by POST. */
  heard(now: number): void {
    this.#heardAt = now;
  }

  /** What came up could not be read. On the current link that is the end of the session (PROTOCOL §5). */
  handleFault(error: unknown, now: number): void {
    if (this.#closed) return;
    const known = RunnelError.is(error);
    const code = known ? error.code : 'internal';
    const reason = known ? error.message : 'the server failed';
    const session = this.isCurrent ? this.session : null;
    if (session !== null) session.end(code, reason, now);
    else this.end(code, reason);
  }

  /** The carrier is gone. */
  handleClosed(now: number): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#registry.forgetLink(this);
    if (this.isCurrent) this.session?.detach(now);
  }

  /** What was written has drained. */
  handleDrain(): void {
    if (this.isCurrent) this.session?.touch();
  }

  /** Is the current link of `session` now, sending on from `base`. */
  bind(session: ServerSession<L, I>, base: number, now: number): void {
    this.session = session;
    this.next = base;
    this.#heardAt = now;
    this.#dueAt = now + this.#registry.limits.heartbeatMs;
  }

  /** Superseded by another link of its session, or moved on to another session's attach. PROTOCOL §8.3. */
  supersede(now: number): void {
    if (this.port.transport === 'stream') return this.end('superseded', 'another link took the session over');
    this.#dueAt = now + this.#registry.limits.parkMs;
    this.#registry.reschedule(this);
  }

  /** Says goaway and ends the carrier. The session, if any, is the caller's business. */
  end(code: string, reason: string, retryMs = 0): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#registry.forgetLink(this);
    this.port.write([this.#registry.encode([Type.goaway, code, clipReason(reason), retryMs])]);
    this.port.end(code, reason);
  }

  deadline(): number {
    if (this.#closed) return Number.POSITIVE_INFINITY;
    if (!this.isCurrent) return this.#dueAt;
    return Math.min(this.#dueAt, this.#silentAt());
  }

  wake(now: number): void {
    const session = this.isCurrent ? this.session : null;
    if (session === null) return this.end('superseded', 'the link carries no session');
    if (now >= this.#silentAt()) {
      this.end('silent', 'nothing was heard on the link for too long');
      session.detach(now);
    } else if (now >= this.#dueAt) {
      this.#dueAt = now + this.#registry.limits.heartbeatMs;
      this.port.write([this.#registry.encode([Type.ping, Math.floor(now), session.tellRx()])]);
    }
  }

  #silentAt(): number {
    return this.#heardAt + SILENT_HEARTBEATS * this.#registry.limits.heartbeatMs;
  }
}
