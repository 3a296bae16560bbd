/**
 * Compares what is with what should be, and acts on the difference. It runs after every input and knows nothing of what that was, so no decision hangs
 * on the order in which things happened. All there is to know stands in the parts of the `Linkage`.
 */
import type { Linkage } from './linkage.ts';

export class Steering {
  readonly #linkage: Linkage;
  /** When `steer` last ran. */
  #steeredAt = Number.NEGATIVE_INFINITY;

  constructor(linkage: Linkage) {
    this.#linkage = linkage;
  }

  steer(now: number): void {
    this.#steeredAt = now;
    this.#checkPath(now);
    if (now >= this.#linkage.attaching.deadline) {
      this.#linkage.attachFailed('no answer in time', 0, now);
      // It was waited for long enough.
      this.#linkage.recovery.hasten(now);
    }
    // First, so that what is said gets a connection that is warm.
    this.#linkage.path.sendUp(now);
    if (this.#askCredentials(now)) {
      this.#tryCandidates(now);
      this.#attachWhereDue(now);
      const wanted =
        !this.#linkage.recovery.due ||
        (now < this.#linkage.recovery.retryAt && this.#linkage.attaching.pending === null);
      if (this.#linkage.path.link === 'poll' && now >= this.#linkage.poller.dueAt && wanted)
        this.#linkage.poller.ask(this.#linkage.identity, this.#linkage.incarnation.tellRx(), now);
    }
    this.#linkage.report.update(now);
  }

  nextTimeout(): number {
    const deadlines = [
      ...this.#linkage.path.deadlines(),
      this.#linkage.candidates.nextTimeout(),
      this.#linkage.attaching.deadline,
      this.#linkage.poller.dueAt,
    ];
    if (this.#linkage.recovery.due) deadlines.push(this.#linkage.recovery.retryAt);
    // What was due when we last steered has been seen to, or waits for something else.
    return deadlines.reduce((next, at) => (at > this.#steeredAt && at < next ? at : next), Number.POSITIVE_INFINITY);
  }

  /** Is the path alive? PROTOCOL §10.8. */
  #checkPath(now: number): void {
    const verdict = this.#linkage.path.check(now);
    if (verdict === 'silent') this.#linkage.lose('silent', now);
    else if (verdict === 'suspect') {
      this.#linkage.path.suspect(now);
      this.#linkage.recovery.want('silent', now);
    }
    if (this.#linkage.uplink.giveUpOverdue(now)) this.#linkage.distrust('a POST was not answered', 0, now);
  }

  /** Whether credentials are known, or not wanted. Asks for them when they are due. */
  #askCredentials(now: number): boolean {
    if (this.#linkage.credentials.state === 'needed' && now >= this.#linkage.recovery.retryAt) {
      this.#linkage.credentials.await();
      this.#linkage.carriers.effect({ type: 'credentials', refresh: this.#linkage.credentials.refused });
    }
    return this.#linkage.credentials.state === 'known';
  }

  #tryCandidates(now: number): void {
    const {
      candidates,
      attaching,
      choice,
      recovery,
      path: { link, transport, isSuspect },
    } = this.#linkage;
    const needed = recovery.due || link === null;
    const websocketAllowed = choice.allows('websocket');
    candidates.steer(
      {
        websocket: websocketAllowed && (needed ? recovery.mayAttach(now) : choice.isBetter('websocket', transport)),
        stream: !needed && attaching.pending === null && choice.isBetter('stream', transport),
        linked: link !== null && !isSuspect,
        websocketAllowed,
        retryAt: websocketAllowed && choice.onlyWebSocket && link === null ? recovery.retryAt : null,
      },
      now,
    );
  }

  #attachWhereDue(now: number): void {
    const best = this.#linkage.candidates.best();
    const mode = best === null || best === 'stream' ? best : best.kind;
    const proven = mode !== null && this.#linkage.choice.allows(mode);
    const { pending } = this.#linkage.attaching;
    let take = false;
    // What attaches by poll is left to go on beside it.
    if (pending !== null) take = proven && pending.carrier.kind === 'poll';
    else if (this.#linkage.recovery.due) {
      take = proven && this.#linkage.recovery.mayAttach(now);
      if (!take && now >= this.#linkage.recovery.retryAt) return this.#rescue(now);
    } else {
      take = proven && this.#linkage.choice.isBetter(mode, this.#linkage.path.transport);
      if (!take && this.#linkage.choice.isBetter('poll', this.#linkage.path.transport))
        return this.#linkage.attach('poll', null, now);
    }
    if (take && mode !== null) this.#linkage.attach(mode, best === 'stream' ? null : best, now);
  }

  /** No way has proven itself: the one that cannot be blocked by a buffer, or whatever is allowed. */
  #rescue(now: number): void {
    const {
      choice,
      path: { socket, isSuspect },
    } = this.#linkage;
    if (socket !== null && !isSuspect && choice.allows('websocket')) this.#linkage.attach('websocket', socket, now);
    else if (choice.allows('poll')) this.#linkage.attach('poll', null, now);
    else if (choice.allows('stream')) this.#linkage.attach('stream', null, now);
    // Otherwise a WebSocket is being opened, and is attached when it is open.
  }
}
