/** Counts what really happened, so that a schedule that provokes nothing cannot pass for one that found nothing. */

/** Everything that a few thousand schedules must have seen. */
export const SESSION_EVENTS = [
  // Schedules.
  'safety schedule',
  'liveness schedule',
  // What was done to the network.
  'cut',
  'cut all',
  'stall',
  'mute',
  'vanish',
  'congest',
  'refused',
  'hangs',
  'dead',
  'buffered',
  'repeat',
  'retry',
  'replay',
  'loseRequest',
  'loseAnswer',
  'truncate',
  'stale',
  'deaf',
  'portal',
  'swallowed',
  'dead connection',
  'answer capped',
  'connection worn out',
  'healed',
  'flap',
  'block websocket',
  // What was done to the ends.
  'scarcity',
  'use',
  'wake',
  'sleep',
  'restart',
  'expire',
  'kick',
  'close',
  'die',
  'join',
  'identity',
  'credentials',
  'twin',
  'gap',
  'late poll',
  // What came of it.
  'first attach',
  'resume',
  'loss',
  'switch',
  'late welcome',
  'earlier welcome',
  'overflow',
  'overflow with a link',
  'provisional end',
  'expiry',
  'fenced',
  'reattach',
  'old poll',
  'same poll',
  'old post',
  'old attach',
  'same attach',
  'new client name',
  'kicked',
  'refused credentials',
  'fragments',
  'volatile up',
  'volatile down',
] as const;

export const APP_EVENTS = [
  'safety schedule',
  'liveness schedule',
  'cut',
  'cut all',
  'stall',
  'mute',
  'vanish',
  'congest',
  'repeat',
  'retry',
  'replay',
  'loseRequest',
  'loseAnswer',
  'truncate',
  'use',
  'sleep',
  'expire',
  'kick',
  'die',
  'restart',
  'restart with the log',
  'loss',
  'resume',
  'published',
  'publish indeterminate',
  'publish failed',
  'answered',
  'request indeterminate',
  'request failed',
  'volatile',
  'asked again',
  'ran again',
  'part',
  'reader paused',
  'streamed',
  'stream indeterminate',
  'stream failed',
  'skipped',
  'snapshot',
  'presence',
  'entered',
  'left',
  'sent again',
  'broker failure',
  'handler failure',
  'message lost',
  'recovered',
  'position lost',
  'unsubscribed',
  'canceled',
] as const;

export const CLUSTER_EVENTS = [
  'safety schedule',
  'liveness schedule',
  'cut',
  'stall',
  'vanish',
  'healed',
  'loss',
  'kill',
  'drain',
  'start',
  'cut off',
  'post',
  'join',
  'die',
  'forwarded',
  'hand-over',
  'found by search',
  'relayed',
  'post lost',
  'snapshot lost',
] as const;

export type CoveredEvent =
  | (typeof SESSION_EVENTS)[number]
  | (typeof APP_EVENTS)[number]
  | (typeof CLUSTER_EVENTS)[number];

export class Coverage {
  readonly counts = new Map<CoveredEvent, number>();

  saw(event: CoveredEvent, times = 1): void {
    this.counts.set(event, (this.counts.get(event) ?? 0) + times);
  }

  add(other: ReadonlyMap<CoveredEvent, number>): void {
    for (const [event, times] of other) this.saw(event, times);
  }

  missing(events: readonly CoveredEvent[]): CoveredEvent[] {
    return events.filter((event) => !this.counts.has(event));
  }
}
