/**
 * What carries the session now, and whether it can be believed: a socket, a stream, or polls; null: nothing. On a socket frames go out as they come
 * (`#sent` is where the next one starts); beside a stream and polls they go up by POST. `Liveness` says when the path is due a ping, and when it is
 * suspect; a suspect path still carries until a new one is adopted, or until it has been silent for too long.
 */
import { closeCodeOf } from '../../errors.ts';
import { type Transport, Type, type Welcome } from '../../wire/frames.ts';
import { encodeFrame } from '../../wire/write.ts';
import { type Line, lineOf } from '../ledger.ts';
import type { Candidates } from './candidates.ts';
import type { CarrierSet } from './carrier-set.ts';
import type { Carrier, Poll, Socket, Stream } from './carriers.ts';
import type { Identity } from './identity.ts';
import { IdleCut } from './idle-cut.ts';
import { type Incarnation, sizeOf } from './incarnation.ts';
import { HEARTBEAT_GRACE_MS, Liveness, type RoundTrip } from './liveness.ts';
import type { Poller } from './poller.ts';
import { SendWindow } from './send-window.ts';
import type { Uplink } from './uplink.ts';

/** A silent socket is kept this long: it may speak again. */
export const SILENT_KEPT_MS = 8_000;
/** One WebSocket message holds about this much, so that a slow path keeps showing signs of life. */
const MESSAGE_BYTES = 16_384;

export interface PathParts {
  readonly carriers: CarrierSet;
  readonly roundTrip: RoundTrip;
  readonly identity: Identity;
  readonly incarnation: Incarnation;
  readonly poller: Poller;
  readonly uplink: Uplink;
}

export class Path {
  readonly idleCut: IdleCut = new IdleCut();
  readonly #parts: PathParts;
  readonly #window = new SendWindow();
  /** Set by `adopt`, cleared by `lose`. */
  #link: Socket | Stream | 'poll' | null = null;
  /** Watches the link; null without one. */
  #liveness: Liveness | null = null;
  /** Since when the link is suspect; set by `suspect`, cleared by `trust` and with the link. */
  #suspectSince: number | null = null;
  /** When the link was adopted. */
  #adoptedAt = 0;
  /** Number of the next counted frame for the current socket; set by each welcome. */
  #sent = 0;

  constructor(parts: PathParts) {
    this.#parts = parts;
  }

  get link(): Socket | Stream | 'poll' | null {
    return this.#link;
  }
  get transport(): Transport | null {
    return this.#link === null || this.#link === 'poll' ? this.#link : this.#link.kind;
  }
  get socket(): Socket | null {
    return this.#link !== null && this.#link !== 'poll' && this.#link.kind === 'websocket' ? this.#link : null;
  }
  get isSuspect(): boolean {
    return this.#suspectSince !== null;
  }
  get adoptedAt(): number {
    return this.#adoptedAt;
  }

  /** Whether the carrier is what brings the current generation down. */
  isDown(carrier: Carrier): boolean {
    return carrier === this.#link || this.#parts.poller.has(carrier);
  }

  /** PROTOCOL §6.5: between an attach and its welcome nothing that is numbered goes up a socket. */
  get mayNumber(): boolean {
    return this.socket?.awaiting !== true;
  }

  // ——— coming and going ———

  /** PROTOCOL §7.2: from here on `carrier` carries the session. `spares` takes a suspect socket that may come back. */
  adopt(carrier: Socket | Stream | Poll, welcome: Welcome, spares: Pick<Candidates, 'keep'> | null, now: number): void {
    const { carriers, roundTrip, poller, uplink } = this.#parts;
    const old = this.#link;
    if (old !== null && old !== 'poll' && old !== carrier) {
      if (spares !== null && this.#suspectSince !== null && old.kind === 'websocket') {
        spares.keep(old, Math.max(now, this.#suspectSince + SILENT_KEPT_MS));
      } else carriers.drop(old, 'superseded', closeCodeOf('superseded'));
    }
    carrier.sid = welcome.sid;
    carrier.next = welcome.base;
    this.#window.narrow(this.#openBytes());
    this.#sent = welcome.rx;
    this.#adoptedAt = now;
    this.#suspectSince = null;
    const polls = carrier.kind === 'poll';
    uplink.begin(!polls);
    poller.begin(polls ? carrier : null, now);
    this.#link = polls ? 'poll' : carrier;
    const quietMs = Math.min(welcome.heartbeatMs + HEARTBEAT_GRACE_MS, this.idleCut.pingAfterMs);
    this.#liveness = new Liveness(roundTrip, polls ? Number.POSITIVE_INFINITY : quietMs, now);
    if (carrier.kind !== 'websocket') return;
    carrier.phase = 'current';
    carrier.awaiting = false;
  }

  /** The link is gone. */
  lose(reason: string, last: Carrier | null = null): void {
    const { carriers, poller, uplink } = this.#parts;
    if (this.#link !== 'poll') carriers.drop(this.#link, reason);
    this.#link = null;
    this.#liveness = null;
    this.#suspectSince = null;
    poller.end();
    // The goodbye of a session that was closed still has to get through.
    if (last === null) uplink.reset();
  }

  suspect(now: number): void {
    this.#suspectSince = now;
  }

  trust(): void {
    this.#suspectSince = null;
  }

  // ——— is it alive? ———

  heard(size: number, now: number): void {
    // A POST is waited for by itself; what went up a socket may be lost while answers to what went before still come.
    const open = this.socket !== null && this.#parts.incarnation.ledger.acked < this.#sent;
    this.#liveness?.heard(open, size, now);
    this.#parts.poller.heard(now);
  }

  /** The server told its `rx`, and `bytes` of what was open are not any more. */
  told(bytes: number, now: number): void {
    this.#parts.roundTrip.carried(bytes, now);
    if (this.socket !== null) this.#window.widen(bytes);
    const { acked, tx } = this.#parts.incarnation.ledger;
    this.#liveness?.told(bytes, acked < tx, this.socket !== null, now);
  }

  /** Something that is answered went up the link. */
  asked(bytes: number, now: number): void {
    this.#liveness?.asked(bytes, now);
  }

  /** Returns how long the pong took, ms. */
  ponged(now: number): number | null {
    return this.#liveness?.ponged(now) ?? null;
  }

  /** Asks for a sign of life, unless one is asked for already, or a POST's answer will be one. */
  ping(now: number): void {
    if (this.#liveness === null || this.#liveness.pinging || !this.mayNumber) return;
    const word = lineOf(encodeFrame([Type.ping, Math.floor(now)]));
    if (this.socket !== null) this.#parts.carriers.send(this.socket, word.text);
    else if (this.#parts.uplink.busy) return;
    else this.#parts.uplink.say(word);
    this.#liveness.pinged(now);
  }

  /** The world may have changed: asks for a sign of life that has to come soon. */
  doubt(now: number): void {
    this.#liveness?.doubt();
    this.#parts.uplink.hasten(now);
    this.ping(now);
  }

  /** PROTOCOL §10.8. What the link has come to: `silent` is beyond hope. Sends a ping where one is due. */
  check(now: number): 'good' | 'suspect' | 'silent' {
    if (now >= this.#parts.poller.deadline) return 'silent';
    if (this.#liveness === null) return 'good';
    if (now >= this.#liveness.pingAt()) this.ping(now);
    if (this.#suspectSince !== null) return now >= this.#suspectSince + SILENT_KEPT_MS ? 'silent' : 'good';
    if (now < this.#liveness.suspectAt()) return 'good';
    // A poll has nothing to wait for beside it: its replacement is another poll.
    return this.#link === 'poll' ? 'silent' : 'suspect';
  }

  /** Every time at which `check` may come to something else. */
  deadlines(): number[] {
    const { poller, uplink } = this.#parts;
    const deadlines = [poller.deadline, poller.postAt, uplink.nextTimeout()];
    if (this.#liveness !== null) deadlines.push(this.#liveness.pingAt(), this.#liveness.suspectAt());
    if (this.#suspectSince !== null) deadlines.push(this.#suspectSince + SILENT_KEPT_MS);
    return deadlines;
  }

  // ——— up ———

  /** Tells our `rx` without other reason to speak. Polls tell it anyway. */
  acknowledge(): void {
    if (this.#link === null || this.#link === 'poll' || !this.mayNumber) return;
    const rx = this.#parts.incarnation.tellRx();
    if (this.socket === null) this.#parts.uplink.acknowledge();
    else this.#parts.carriers.send(this.socket, encodeFrame([Type.ack, rx]));
  }

  pong(carrier: Carrier, t: number): void {
    if (carrier.kind === 'stream') {
      if (carrier === this.#link) this.acknowledge();
    } else if (carrier.kind === 'websocket') {
      const numbered = carrier === this.#link && this.mayNumber;
      this.#parts.carriers.send(
        carrier,
        encodeFrame(numbered ? [Type.pong, t, this.#parts.incarnation.tellRx()] : [Type.pong, t]),
      );
    }
  }

  /** False: the frame is lost. */
  sendLoose(line: Line): boolean {
    if (this.#link === null || !this.mayNumber) return false;
    if (this.socket === null) this.#parts.uplink.sendLoose(line);
    else this.#parts.carriers.send(this.socket, line.text);
    return true;
  }

  /** Sends what waits, as far as the link takes it. */
  sendUp(now: number): void {
    if (this.#link === null) return;
    if (this.socket !== null) return this.#pump(this.socket, this.#window.bytes, now);
    if (now < this.#parts.poller.postAt) return;
    const { acked, tx } = this.#parts.incarnation.ledger;
    const bytes = this.#parts.uplink.steer(now);
    if (bytes === 0) return;
    this.#parts.poller.stir(now);
    if (acked === tx) return;
    this.#liveness?.sent(now);
    this.asked(bytes, now);
  }

  /** Sends what the socket has not carried yet, as far as the window lets it; what is left waits for the pong. */
  #pump(socket: Socket, windowBytes: number, now: number): void {
    const { incarnation } = this.#parts;
    const { ledger } = incarnation;
    if (!this.mayNumber || this.#sent >= ledger.tx) return;
    let bytes = 0;
    let room = windowBytes === Number.POSITIVE_INFINITY ? windowBytes : windowBytes - this.#openBytes();
    while (this.#sent < ledger.tx && room > 0) {
      const lines = ledger.slice(this.#sent, Math.min(room, MESSAGE_BYTES));
      const size = sizeOf(lines);
      this.#sent += lines.length;
      bytes += size;
      room -= size;
      const texts = lines.map((line) => line.text);
      if (incarnation.ackAlong) texts.push(encodeFrame([Type.ack, incarnation.tellRx()]));
      this.#parts.carriers.send(socket, texts.join('\n'));
    }
    if (bytes > 0) {
      this.#liveness?.sent(now);
      this.asked(bytes, now);
    }
    if (this.#sent < ledger.tx) this.ping(now);
  }

  /** What went up the last socket and is not acknowledged, in bytes. */
  #openBytes(): number {
    const { ledger } = this.#parts.incarnation;
    return sizeOf(ledger.slice(ledger.ob).slice(0, Math.max(0, this.#sent - ledger.ob)));
  }

  /**
   * The last words: what was counted, and the goodbye, which an attach under way on another socket must not survive. Where nothing carries the session
   * a POST may still reach the server (PROTOCOL §8.4). Returns the request that still has to get through.
   */
  finish(reason: string, attaching: Carrier | null, mayPost: boolean, now: number): Carrier | null {
    const goaway = lineOf(encodeFrame([Type.goaway, 'closed', reason, 0]));
    if (attaching?.kind === 'websocket' && attaching !== this.#link) this.#parts.carriers.send(attaching, goaway.text);
    if (this.#link === null && (!mayPost || this.#parts.identity.sid === null)) return null;
    if (this.socket === null) return this.#parts.uplink.finish(goaway, now);
    this.#pump(this.socket, Number.POSITIVE_INFINITY, now);
    this.#parts.carriers.send(this.socket, goaway.text);
    return null;
  }
}
