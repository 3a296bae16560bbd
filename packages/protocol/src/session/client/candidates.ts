/**
 * What might carry the session better than what does: a WebSocket that is being opened and probed, a socket that went silent and may come
 * back, a stream that is being proven with a throw-away body (PROTOCOL §6.4). Nothing here touches the session: prove first, then switch.
 */
import { Type } from '../../wire/frames.ts';
import { encodeFrame } from '../../wire/write.ts';
import type { CarrierSet } from './carrier-set.ts';
import type { Carrier, Echo, Socket, StreamProbe, Way } from './carriers.ts';
import type { ConnectionReport } from './connection-report.ts';
import type { RoundTrip } from './liveness.ts';
import type { ClientSessionOptions } from './ports.ts';
import { ProbeSchedule } from './schedules.ts';

/** How long a candidate may take to prove itself. */
const PROVE_MS = 8_000;
/** How long the WebSocket may take before the stream is tried beside it. */
const WEBSOCKET_SOON_MS = 1_500;

export interface CandidatesParts {
  readonly carriers: CarrierSet;
  readonly roundTrip: RoundTrip;
  readonly report: ConnectionReport;
}

/** What the session would like to have. */
export interface Wish {
  readonly websocket: boolean;
  readonly stream: boolean;
  /** Whether another link works meanwhile: only then is a failure a verdict on the network. */
  readonly linked: boolean;
  /** Whether WebSocket is allowed at all: the stream waits for it to fail first. */
  readonly websocketAllowed: boolean;
  /** Nothing but WebSocket is allowed: it is tried when the session may retry, not when the schedule says. */
  readonly retryAt: number | null;
}

export class Candidates {
  readonly websocket: ProbeSchedule;
  readonly stream: ProbeSchedule;
  readonly #parts: CandidatesParts;
  readonly #newId: () => string;
  /** A socket that is opening, probing, proven or attaching. */
  #socket: Socket | null = null;
  /** A socket that was current and went silent. */
  #spare: Socket | null = null;
  /** The stream probe under way; cleared when it has come back or failed. */
  #probe: StreamProbe | null = null;
  /** The token on its way up for the last probe; dropped with a probe that fails, or with the next one. */
  #echo: Echo | null = null;
  /** What the last probe was sent with. */
  #nonce = '';
  /** Whether a probe has come back and its stream was not opened yet. */
  #streamProven = false;
  /** The wish of the last `steer`. */
  #wish: Wish = { websocket: false, stream: false, linked: false, websocketAllowed: false, retryAt: null };

  constructor(parts: CandidatesParts, { newId, random }: Pick<ClientSessionOptions, 'newId' | 'random'>) {
    this.#parts = parts;
    this.#newId = newId;
    this.websocket = new ProbeSchedule(random);
    this.stream = new ProbeSchedule(random);
  }

  /** A way that has proven itself; null where there is none. */
  best(): Way | null {
    if (this.#spare?.phase === 'proven') return this.#spare;
    if (this.#socket?.phase === 'proven') return this.#socket;
    return this.#streamProven ? 'stream' : null;
  }

  /** Opens what is wished for and due, and gives up what has taken too long. */
  steer(wish: Wish, now: number): void {
    this.#wish = wish;
    if (this.#spare !== null && this.#spare.phase !== 'attaching' && now >= this.#spare.deadline) {
      this.#drop(this.#spare, 'silent');
      this.#spare = null;
    }
    const socket = this.#socket;
    if (socket !== null && isUnproven(socket) && now >= socket.deadline) this.fail(socket, 'no answer in time', now);
    if (this.#probe !== null && now >= this.#probe.deadline) this.fail(this.#probe, 'no answer in time', now);
    if (!wish.websocket && this.#socket !== null && this.#socket.phase !== 'attaching') {
      this.#drop(this.#socket, 'not needed');
      this.#socket = null;
    }
    if (!wish.stream) {
      this.#dropProbe();
      this.#dropEcho();
      this.#streamProven = false;
    }
    if (wish.websocket && this.#socket === null && now >= this.#websocketDueAt()) {
      this.#socket = this.#parts.carriers.openSocket(now, now + PROVE_MS);
    }
    if (wish.stream && this.#probe === null && !this.#streamProven && now >= this.#streamDueAt())
      this.#probeStream(now);
  }

  /** The socket is open. `attachAtOnce`: there is nothing to lose, so the attach itself is the probe. */
  handleOpen(socket: Socket, attachAtOnce: boolean, now: number): void {
    if (attachAtOnce) socket.phase = 'proven';
    else {
      socket.phase = 'probing';
      socket.probedAt = now;
      this.#parts.carriers.send(socket, encodeFrame([Type.probe, this.#newId()]));
    }
  }

  /** Anything came in on a socket that carries nothing: it is alive. */
  handleLife(socket: Socket, now: number): void {
    if (socket.phase === 'probing') {
      this.#parts.roundTrip.sample(now - socket.probedAt);
      this.#tried(socket, 'probe', '', now);
      socket.phase = 'proven';
    } else if (socket.phase === 'spare') socket.phase = 'proven';
  }

  /** The first line of the stream probe's body: send its token up (PROTOCOL §6.4). */
  handleProbed(probe: StreamProbe, nonce: string, token: string | undefined, now: number): void {
    if (probe !== this.#probe || nonce !== this.#nonce || token === undefined) return;
    this.#echo = this.#parts.carriers.request<Echo>({ kind: 'echo' }, [encodeFrame([Type.echo, token])], now);
  }

  /** The echo came down the probe's body. */
  handleEcho(probe: StreamProbe, now: number): void {
    if (probe !== this.#probe) return;
    this.#tried(probe, 'probe', '', now);
    this.#dropProbe();
    this.#streamProven = true;
  }

  /** An attach goes up, on a socket whichever it was. */
  handleAttach(way: Way): void {
    if (way === 'stream') this.#streamProven = false;
    if (typeof way === 'string') return;
    way.awaiting = true;
    if (way.phase !== 'current') way.phase = 'attaching';
  }

  /** The socket becomes the session's. */
  handOver(taken: Socket): void {
    if (taken === this.#socket) this.#socket = null;
    if (taken === this.#spare) this.#spare = null;
  }

  /** A socket whose attach was overtaken, or that went silent: it may still come back. */
  keep(socket: Socket, deadline: number): void {
    if (this.#spare !== null && this.#spare !== socket) this.#drop(this.#spare, 'replaced');
    if (this.#socket === socket) this.#socket = null;
    this.#spare = socket;
    socket.phase = 'spare';
    socket.deadline = deadline;
  }

  has(carrier: Carrier): carrier is Socket | StreamProbe {
    return carrier === this.#socket || carrier === this.#spare || carrier === this.#probe;
  }

  /** A candidate has failed, or was closed from outside. */
  fail(candidate: Socket | StreamProbe, reason: string, now: number): void {
    this.#drop(candidate, reason);
    if (candidate === this.#spare) {
      this.#spare = null;
      return;
    }
    if (candidate === this.#socket) this.#socket = null;
    else if (candidate === this.#probe) {
      this.#probe = null;
      this.#dropEcho();
    }
    const unopened = candidate.kind === 'websocket' && candidate.phase === 'opening';
    this.#tried(candidate, unopened ? 'open' : 'probe', reason, now);
    this.verdict(transportOf(candidate), now);
  }

  /** A transport has failed the session. While nothing else works either, that says nothing about the transport. */
  verdict(transport: 'websocket' | 'stream', now: number): void {
    const schedule = this[transport];
    if (this.#wish.linked) schedule.failed(now);
    else schedule.defer(now + 1_000);
  }

  /** All is open again: the network has changed, or the user wants another transport. What was proven was so of the old one. */
  reset(now: number): void {
    this.#streamProven = false;
    const socket = this.#socket;
    if (socket !== null && isUnproven(socket))
      socket.deadline = Math.min(socket.deadline, Math.max(now, socket.openedAt + this.#parts.roundTrip.patience()));
    this.websocket.reset(now);
    this.stream.reset(now);
  }

  clear(): void {
    this.#socket = null;
    this.#spare = null;
    this.#probe = null;
    this.#echo = null;
    this.#streamProven = false;
  }

  nextTimeout(): number {
    const wish = this.#wish;
    let next = Number.POSITIVE_INFINITY;
    if (this.#spare !== null && this.#spare.phase !== 'attaching') next = this.#spare.deadline;
    if (this.#socket !== null && isUnproven(this.#socket)) next = Math.min(next, this.#socket.deadline);
    if (this.#probe !== null) next = Math.min(next, this.#probe.deadline);
    if (wish.websocket && this.#socket === null) next = Math.min(next, this.#websocketDueAt());
    if (wish.stream && this.#probe === null && !this.#streamProven) next = Math.min(next, this.#streamDueAt());
    return next;
  }

  #websocketDueAt(): number {
    return this.#wish.retryAt ?? this.websocket.dueAt;
  }

  /** The stream is tried when the WebSocket is out of the question, has failed, or takes its time. */
  #streamDueAt(): number {
    if (!this.#wish.websocketAllowed || this.websocket.failures > 0) return this.stream.dueAt;
    const openedAt = this.#socket?.openedAt;
    if (openedAt === undefined) return Number.POSITIVE_INFINITY;
    return Math.max(this.stream.dueAt, openedAt + Math.max(WEBSOCKET_SOON_MS, this.#parts.roundTrip.patience()));
  }

  #probeStream(now: number): void {
    this.#dropEcho();
    this.#nonce = this.#newId();
    const spec = { kind: 'probe', deadline: now + PROVE_MS } as const;
    this.#probe = this.#parts.carriers.request<StreamProbe>(spec, [encodeFrame([Type.probe, this.#nonce])], now);
  }

  #dropProbe(): void {
    this.#parts.carriers.drop(this.#probe);
    this.#probe = null;
  }

  #dropEcho(): void {
    this.#parts.carriers.drop(this.#echo);
    this.#echo = null;
  }

  #drop(candidate: Socket | StreamProbe, reason: string): void {
    this.#parts.carriers.drop(candidate, reason);
  }

  #tried(candidate: Socket | StreamProbe, step: 'open' | 'probe', reason: string, now: number): void {
    this.#parts.report.tried({ transport: transportOf(candidate), step, at: candidate.openedAt, reason }, now);
  }
}

const transportOf = ({ kind }: Socket | StreamProbe): 'websocket' | 'stream' =>
  kind === 'websocket' ? kind : 'stream';
const isUnproven = (socket: Socket): boolean => socket.phase === 'opening' || socket.phase === 'probing';
