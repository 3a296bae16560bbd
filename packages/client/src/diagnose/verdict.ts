/** How things stand, in one line. */
import type { Transport } from '@runnel/protocol';
import { obstacleOf } from './connection-findings.ts';
import type { Finding, Health } from './finding.ts';
import { isDoubted, isPinned, type Situation } from './situation.ts';

const CARRIED: Readonly<Record<Transport, string>> = {
  websocket: 'Connected over WebSocket',
  stream: 'Connected over a stream',
  poll: 'Connected by polling',
};

export function verdictOn(
  situation: Situation,
  transports: readonly Finding[],
  connection: readonly Finding[],
  online: boolean | null,
): { readonly verdict: string; readonly health: Health } {
  const { state } = situation.diagnosis;
  switch (state.status) {
    case 'idle':
      return { verdict: 'Not connected: nothing was asked for yet', health: 'pending' };
    case 'closed':
      return { verdict: connection[0]?.title ?? 'Closed', health: 'closed' };
    case 'open': {
      const problems = [...transports, ...connection].filter(({ isProblem }) => isProblem);
      const pinned = isPinned(situation) ? ', as it was told to' : '';
      const carried = `${CARRIED[state.transport]}${pinned}`;
      if (isDoubted(situation))
        return { verdict: `${carried}, which has gone silent; no POST is answered`, health: 'down' };
      const told = problems.slice(0, 2).map(({ title }) => within(title));
      return { verdict: [carried, ...told].join('; '), health: told.length === 0 ? 'good' : 'degraded' };
    }
    case 'connecting':
    case 'reconnecting': {
      const obstacle = obstacleOf(situation, online);
      const doing = state.status === 'connecting' ? 'Connecting' : 'Reconnecting';
      if (obstacle === null) return { verdict: `${doing}; the first attempt is under way`, health: 'pending' };
      return { verdict: `Not connected: ${obstacle}`, health: 'down' };
    }
  }
}

/** A title within a sentence. */
function within(title: string): string {
  return /^(?:WebSocket|POST|HTTP)/.test(title) ? title : title.charAt(0).toLowerCase() + title.slice(1);
}
