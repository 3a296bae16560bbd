/**
 * All sessions of one node: who is who, who may attach, and what is due when (PROTOCOL §8). Every entry point is one turn: it takes the
 * time and leaves nothing half done. What needs waiting (authentication, a body's arrival) is done before. The application may enqueue and
 * settle between turns: only for that is the clock read.
 */
import { verdictOf } from '../../errors.ts';
import type { Limits } from '../../limits.ts';
import {
  type Attach,
  type DownFrame,
  isCounted,
  type PollHeader,
  type PostHeader,
  Type,
  type UpFrame,
} from '../../wire/frames.ts';
import { Deadlines } from '../deadlines.ts';
import type { Line } from '../ledger.ts';
import { clipReason } from '../reason.ts';
import { NewestSessions } from './newest-sessions.ts';
import type { Answer, Identity, LinkPort, RegistryOptions } from './ports.ts';
import { ServerLink } from './server-link.ts';
import { ServerSession } from './server-session.ts';
import { RESUMED, type SessionRecord } from './session-record.ts';

/** How many sessions that have ended for good are remembered. */
const FINISHED_MAX = 10_000;

/** What an attach came in on. */
export type AttachCarrier<L extends Line, I extends Identity> =
  | { readonly link: ServerLink<L, I>; readonly answer?: never }
  | { readonly answer: Answer<L>; readonly link?: never };

/** A frame of a POST's body with its length on the wire in bytes. */
export interface SizedFrame {
  readonly frame: UpFrame;
  readonly size: number;
}

/** Holds what was given up before a session held it: an attach may still be waiting for authentication. */
const NOBODY = {};

export class SessionRegistry<L extends Line, I extends Identity> {
  readonly options: RegistryOptions<L, I>;
  readonly limits: Limits;
  readonly #bySid = new Map<string, ServerSession<L, I>>();
  /** The newest session of each client, which may not know its key yet. */
  readonly #newest = new NewestSessions<ServerSession<L, I>>();
  readonly #links = new Set<ServerLink<L, I>>();
  readonly #deadlines = new Deadlines<ServerSession<L, I> | ServerLink<L, I>>();
  /** Sessions that ended with a fatal code, oldest first, for as long as they would have lived on without a link. */
  readonly #finished = new Map<string, { readonly code: string; readonly until: number }>();
  /** Sessions with something to write, each once; emptied by `flush`. */
  #dirty: ServerSession<L, I>[] = [];
  /** The time of the turn under way. */
  #now = 0;
  /** Set by `shutdown`: attaches are refused from then on. */
  #closing = false;

  constructor(options: RegistryOptions<L, I>) {
    this.options = options;
    this.limits = options.limits;
  }

  get size(): number {
    return this.#bySid.size;
  }
  get linkCount(): number {
    return this.#links.size;
  }
  sessions(): IterableIterator<ServerSession<L, I>> {
    return this.#bySid.values();
  }
  session(sid: string): ServerSession<L, I> | undefined {
    return this.#bySid.get(sid);
  }

  /** The line of a frame of the core's own, in which there is no payload. */
  encode(frame: DownFrame): L {
    return this.options.line(JSON.stringify(frame));
  }

  /** A WebSocket or stream body has come up. */
  connect(port: LinkPort<L>, now: number): ServerLink<L, I> {
    this.#now = now;
    const link = new ServerLink<L, I>(this, port, now);
    this.#links.add(link);
    this.reschedule(link);
    return link;
  }

  /** An attach whose identity is known now. PROTOCOL §8.1–8.3. */
  attach(attach: Attach, identity: I, carrier: AttachCarrier<L, I>, now: number): void {
    this.#now = now;
    // Nobody is there any more to be told.
    if (carrier.link === undefined ? carrier.answer.heldBy === NOBODY : carrier.link.closed) return;
    if (this.#closing)
      return this.#refuse(carrier, [Type.goaway, 'server_closing', 'the server is closing', 1_000, attach.gen]);
    const key = attach.key === undefined ? null : this.options.readKey(attach.key);
    const session = this.#find(attach, key, identity);
    if (session === undefined) {
      const over = key?.genuine ? this.finished(key.sid, now) : null;
      // PROTOCOL §8.9: what has ended for good does not come back.
      if (over !== null) return this.#refuse(carrier, [Type.goaway, over, 'the session has ended', 0, attach.gen]);
      return this.#create(attach, key?.sid, identity, carrier);
    }
    const { ledger } = session;
    // Without a key the client has taken nothing of this incarnation.
    const base = Math.max(attach.key === undefined ? 0 : attach.rx, ledger.acked);
    if (attach.gen === session.gen && attach.mode !== 'websocket' && attach.mode === session.mode) {
      if (!ledger.covers(base)) return this.#refuse(carrier, [Type.reattach, session.gen]);
      if (carrier.answer !== undefined) return this.#repeat(session, base, carrier.answer);
      return this.#moveBody(session, base, carrier.link);
    }
    if (attach.gen <= session.gen) return this.#refuse(carrier, [Type.fenced, session.gen]);
    if (!ledger.covers(base)) {
      session.dissolve('session_lost', now);
      return this.#create(attach, session.sid, identity, carrier);
    }
    session.supersede(attach.gen, attach.mode, now);
    session.identity = identity;
    // Who has the key has read the welcome.
    if (attach.key !== undefined) session.confirm();
    session.outcome = RESUMED;
    ledger.acknowledge(base);
    this.#carry(session, attach, base, carrier, 0);
    this.options.app.resumed(session);
  }

  /** The session that a key names, where this node has it. */
  owned(key: string): ServerSession<L, I> | undefined {
    return this.#byKey(key);
  }

  /** Why the session that a key named has ended for good; null where it has not, or that was forgotten. PROTOCOL §8.9. */
  finished(sid: string, now: number): string | null {
    const over = this.#finished.get(sid);
    return over !== undefined && now < over.until ? over.code : null;
  }

  /** A session that another node has handed over; an attach for it is to follow in the same turn (PROTOCOL §12.2). */
  adopt(record: SessionRecord, identity: I, now: number): ServerSession<L, I> {
    const { cid, sid, client } = record;
    const session = new ServerSession<L, I>(this, { cid, sid, client, identity, from: record }, now);
    this.#bySid.set(sid, session);
    this.#newest.add(session);
    this.reschedule(session);
    return session;
  }

  /** PROTOCOL §6.3 */
  poll(header: PollHeader, answer: Answer<L>, now: number): void {
    this.#now = now;
    const session = this.#byKey(header.key);
    if (session === undefined) answer.end([this.encode([Type.reattach, header.gen])]);
    else if (session.gen !== header.gen) answer.end([this.encode([Type.fenced, session.gen])]);
    else {
      answer.heldBy = session;
      session.polls.poll(header, answer, now);
    }
  }

  /** PROTOCOL §6.2; the body has arrived whole and every line of it was read. */
  post(header: PostHeader, frames: readonly SizedFrame[], answer: Answer<L>, now: number): void {
    this.#now = now;
    const session = this.#byKey(header.key);
    if (session === undefined) return answer.end([this.encode([Type.reattach, header.gen])]);
    if (session.gen !== header.gen) return this.#unheard(session, frames, answer, [Type.fenced, session.gen]);
    if (session.mode === 'websocket' || header.base > session.ledger.rx)
      return this.#unheard(session, frames, answer, [Type.reattach, session.gen]);
    session.link?.heard(now);
    const fresh = session.polls.isNewPost(header.n, now);
    if (header.rx !== undefined) session.acknowledge(header.rx, now);
    let seq = header.base;
    for (const { frame, size } of frames) {
      const counted = isCounted(frame[0]);
      if (counted ? seq >= session.ledger.rx : fresh) session.handleFrame(frame, size, now);
      if (counted) seq += 1;
    }
    if (session.ended !== null) {
      answer.end([this.encode([Type.goaway, session.ended, 'the session has ended', 0, header.gen])]);
    } else {
      answer.end([this.encode([Type.post, { sid: session.sid, gen: session.gen, rx: session.tellRx() }])]);
    }
  }

  /** A POST that is refused. PROTOCOL §8.4: a goodbye in it is one all the same. */
  #unheard(session: ServerSession<L, I>, frames: readonly SizedFrame[], answer: Answer<L>, refusal: DownFrame): void {
    const goodbye = frames.find(({ frame }) => frame[0] === Type.goaway);
    if (goodbye !== undefined) session.handleFrame(goodbye.frame, goodbye.size, this.#now);
    answer.end([this.encode(refusal)]);
  }

  /** A body of the session that could not be read: PROTOCOL §5. Ends the session the key names. */
  postFault(header: PostHeader, code: string, reason: string, answer: Answer<L>, now: number): void {
    this.#now = now;
    const session = this.#byKey(header.key);
    if (session?.gen === header.gen) session.end(code, reason, now);
    answer.end([this.encode([Type.goaway, code, clipReason(reason), 0, header.gen])]);
  }

  /** The client gave up a request before its answer. */
  handleAnswerClosed(answer: Answer<L>, now: number): void {
    this.#now = now;
    const { heldBy } = answer;
    if (heldBy instanceof ServerSession) heldBy.polls.handleClosed(answer, now);
    else answer.heldBy = NOBODY;
  }

  /** Writes what was enqueued since the last flush: once per session and turn. */
  flush(now: number): void {
    this.#now = now;
    let at = 0;
    try {
      // It grows while they are flushed: by those that have waited for one to drain.
      for (; at < this.#dirty.length; at += 1) {
        const session = this.#dirty[at] as ServerSession<L, I>;
        session.isDirty = false;
        session.flush(now);
      }
    } finally {
      this.#dirty.splice(0, at + 1);
    }
  }

  /** When `handleTimeout` is wanted; Infinity: not at all. */
  nextTimeout(): number {
    return this.#deadlines.next();
  }

  handleTimeout(now: number): void {
    this.#now = now;
    for (let owner = this.#deadlines.takeDue(now); owner !== null; owner = this.#deadlines.takeDue(now)) {
      owner.wake(now);
      this.#deadlines.update(owner);
    }
  }

  /** Ends every session with `server_closing` and refuses attaches from now on. Clients come back after a random part of `retryMs`. */
  shutdown(retryMs: number, now: number): void {
    this.#now = now;
    this.#closing = true;
    for (const session of [...this.#bySid.values()])
      session.end('server_closing', 'the server is closing', now, retryMs);
    for (const link of [...this.#links]) link.end('server_closing', 'the server is closing', retryMs);
  }

  /** Lets go of whatever carries a session, without ending any: their clients come back after a random part of `retryMs`, to another node. */
  letGo(retryMs: number, now: number): void {
    this.#now = now;
    for (const link of [...this.#links]) {
      link.end('server_closing', 'the server is closing', retryMs);
      if (link.isCurrent) link.session?.detach(now);
    }
    for (const session of this.#bySid.values()) session.polls.end([this.encode([Type.reattach, session.gen])], now);
  }

  /** Whether a session that is carried by polls has frames that were not fetched: between two polls there is nothing to write them on. */
  get owesPolls(): boolean {
    for (const { mode, ledger } of this.#bySid.values()) if (mode === 'poll' && ledger.acked < ledger.tx) return true;
    return false;
  }

  // ——— for sessions and links ———

  markDirty(session: ServerSession<L, I>): void {
    this.options.onWork();
    if (session.isDirty) return;
    session.isDirty = true;
    this.#dirty.push(session);
  }

  reschedule(owner: ServerSession<L, I> | ServerLink<L, I>): void {
    this.#deadlines.update(owner);
  }

  forgetLink(link: ServerLink<L, I>): void {
    this.#links.delete(link);
    this.reschedule(link);
  }

  remove(session: ServerSession<L, I>): void {
    this.#bySid.delete(session.sid);
    this.reschedule(session);
    this.#remember(session);
    this.#newest.delete(session);
  }

  goaway({ gen }: ServerSession<L, I>, code: string, reason: string, retryMs = 0): L {
    return this.encode([Type.goaway, code, clipReason(reason), retryMs, gen]);
  }

  welcome(session: ServerSession<L, I>, base: number, key: string = session.key): L {
    const { cid, sid, gen, outcome, client } = session;
    const { messageBytes, outboxBytes, holdMs, dedupMs, ttlMs, heartbeatMs } = this.limits;
    const limits = { messageBytes, outboxBytes, holdMs, dedupMs, ttlMs };
    const { node, transports } = this.options;
    const rx = session.tellRx();
    const known = { cid, key, sid, node, gen, ...outcome, rx, base, client, heartbeatMs, limits, transports };
    return this.encode([Type.welcome, known]);
  }

  /** PROTOCOL §8.9 */
  #remember({ sid, ended }: ServerSession<L, I>): void {
    if (ended === null || verdictOf(ended) !== 'fatal') return;
    const now = this.options.now();
    this.#finished.set(sid, { code: ended, until: now + this.limits.ttlMs });
    for (const [oldest, { until }] of this.#finished) {
      if (now < until && this.#finished.size <= FINISHED_MAX) return;
      this.#finished.delete(oldest);
    }
  }

  // ——— attach ———

  /** PROTOCOL §8.1 */
  #find(attach: Attach, key: { sid: string; genuine: boolean } | null, identity: I): ServerSession<L, I> | undefined {
    if (attach.key === undefined) return this.#newest.get(identity.id, attach.cid);
    const session = key?.genuine ? this.#bySid.get(key.sid) : undefined;
    return session?.identity.id === identity.id ? session : undefined;
  }

  #byKey(key: string): ServerSession<L, I> | undefined {
    const read = this.options.readKey(key);
    return read?.genuine ? this.#bySid.get(read.sid) : undefined;
  }

  #create(attach: Attach, was: string | undefined, identity: I, carrier: AttachCarrier<L, I>): void {
    const { newId, sessionsMax, settleMs, app } = this.options;
    if (this.#bySid.size >= sessionsMax) {
      return this.#refuse(carrier, [Type.goaway, 'overloaded', 'too many sessions', 5_000, attach.gen]);
    }
    const sid = newId();
    const { cid } = attach;
    const session = new ServerSession<L, I>(this, { cid, sid, client: newId(), identity }, this.#now);
    this.#bySid.set(sid, session);
    this.#newest.add(session);
    session.gen = attach.gen;
    session.mode = attach.mode;
    if (was !== undefined) session.outcome = { resumed: false, was };
    const subs = attach.subs ?? [];
    this.#carry(session, attach, 0, carrier, subs.length > 0 ? settleMs : 0);
    app.created(session, subs, () => session.settle());
  }

  /** Binds the session to what the attach came in on, and answers. */
  #carry(
    session: ServerSession<L, I>,
    attach: Attach,
    base: number,
    carrier: AttachCarrier<L, I>,
    settleMs: number,
  ): void {
    // A key that was shown and found good need not be issued again.
    const key = session.outcome.resumed ? attach.key : undefined;
    if (carrier.link !== undefined) return this.#carryByLink(session, base, carrier.link, key);
    carrier.answer.heldBy = session;
    const ms = Math.max(Math.min(attach.hold ?? 0, this.limits.holdMs), settleMs);
    session.polls.holdAttach(carrier.answer, { rx: base, ms, settling: settleMs > 0 }, this.#now);
  }

  #carryByLink(session: ServerSession<L, I>, base: number, link: ServerLink<L, I>, key?: string): void {
    // One link carries one session (PROTOCOL §8.3).
    const left = link.session;
    if (left !== null && left !== session && left.link === link) left.detach(this.#now);
    link.bind(session, base, this.#now);
    session.bindLink(link);
    this.reschedule(link);
    // With what it is followed by, which mostly is there at the end of this turn: each write is a system call.
    session.say(this.welcome(session, base, key));
  }

  /** An equal attach by poll: a browser or proxy has repeated the request, and either answer may be the one that is read. */
  #repeat(session: ServerSession<L, I>, base: number, answer: Answer<L>): void {
    answer.heldBy = session;
    session.polls.repeatAttach(answer, base);
  }

  /** An equal stream opening: likewise, and only the newest body is read (PROTOCOL §8.2). */
  #moveBody(session: ServerSession<L, I>, base: number, link: ServerLink<L, I>): void {
    session.supersedeLink(this.#now);
    this.#carryByLink(session, base, link);
  }

  /** A refused attach leaves a WebSocket open: it may attach again. Bodies and answers end with the refusal. */
  #refuse(carrier: AttachCarrier<L, I>, frame: DownFrame): void {
    if (carrier.answer !== undefined) return carrier.answer.end([this.encode(frame)]);
    const { link } = carrier;
    link.port.write([this.encode(frame)]);
    if (link.port.transport === 'stream') {
      this.forgetLink(link);
      link.port.end('superseded', 'the attach was refused');
    }
  }
}
