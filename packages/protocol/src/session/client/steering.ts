/**
 * Compares what is with what should be, and acts on the difference. It runs after every input and knows nothing of what that was, so no decision hangs
 * on the order in which things happened. All there is to know stands in the parts of the `Linkage`.
 */
import { transportOf } from './carriers.ts';
import type { Linkage } from './linkage.ts';

export function steer(linkage: Linkage, now: number): void {
  const { attaching, path, poller, recovery, report } = linkage;
  checkPath(linkage, now);
  if (now >= attaching.deadline) {
    linkage.attachFailed('no answer in time', now);
    // It was waited for long enough.
    recovery.hasten(now);
  }
  // First, so that what is said gets a connection that is warm.
  path.sendUp(now);
  if (askCredentials(linkage, now)) {
    tryCandidates(linkage, now);
    attachWhereDue(linkage, now);
    const wanted = !recovery.due || (now < recovery.retryAt && attaching.pending === null);
    if (path.transport === 'poll' && now >= poller.dueAt && wanted) poller.ask(now);
  }
  report.update(now);
}

/** When to steer again, where that was done last at `steeredAt`. */
export function nextTimeout({ attaching, candidates, path, poller, recovery }: Linkage, steeredAt: number): number {
  const deadlines = [...path.deadlines(), candidates.nextTimeout(), attaching.deadline, poller.dueAt];
  if (recovery.due) deadlines.push(recovery.retryAt);
  // What was due when we last steered has been seen to, or waits for something else.
  return Math.min(...deadlines.filter((at) => at > steeredAt));
}

/** Is the path alive? PROTOCOL §10.8. */
function checkPath(linkage: Linkage, now: number): void {
  const { path, recovery, uplink } = linkage;
  const verdict = path.check(now);
  if (verdict === 'silent') linkage.lose('silent', now);
  else if (verdict === 'suspect') {
    path.suspect(now);
    recovery.want('silent', now);
  }
  if (uplink.giveUpOverdue(now)) linkage.distrust('a POST was not answered', now);
}

/** Whether credentials are known, or not wanted. Asks for them when they are due. */
function askCredentials({ carriers, credentials, recovery }: Linkage, now: number): boolean {
  if (credentials.state === 'needed' && now >= recovery.retryAt) {
    credentials.await();
    carriers.effect({ type: 'credentials', refresh: credentials.refused });
  }
  return credentials.state === 'known';
}

function tryCandidates({ attaching, candidates, choice, path, recovery }: Linkage, now: number): void {
  const { link, transport, isSuspect } = path;
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

function attachWhereDue(linkage: Linkage, now: number): void {
  const { attaching, candidates, choice, path, recovery } = linkage;
  const { pending } = attaching;
  const best = candidates.best();
  const proven = best !== null && choice.allows(transportOf(best)) ? best : null;
  if (pending !== null) {
    // What attaches by poll is left to go on beside it.
    if (proven !== null && pending.carrier.kind === 'poll') linkage.attach(proven, now);
  } else if (recovery.due) {
    if (proven !== null && recovery.mayAttach(now)) linkage.attach(proven, now);
    else if (now >= recovery.retryAt) rescue(linkage, now);
  } else if (proven !== null && choice.isBetter(transportOf(proven), path.transport)) linkage.attach(proven, now);
  else if (choice.isBetter('poll', path.transport)) linkage.attach('poll', now);
}

/** No way has proven itself: the one that cannot be blocked by a buffer, or whatever is allowed. */
function rescue(linkage: Linkage, now: number): void {
  const { choice, path } = linkage;
  if (path.socket !== null && !path.isSuspect && choice.allows('websocket')) linkage.attach(path.socket, now);
  else if (choice.allows('poll')) linkage.attach('poll', now);
  else if (choice.allows('stream')) linkage.attach('stream', now);
  // Otherwise a WebSocket is being opened, and is attached when it is open.
}
