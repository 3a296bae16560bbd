/** What was tried and what came back, as a sentence or two. */
import { MEANINGS } from '@runnel/protocol';
import { TITLES } from './finding.ts';
import { type Judged, rescueAfter } from './history.ts';
import type { Situation } from './situation.ts';
import { duration, sentences, times } from './wording.ts';

/** Attempts of one transport that failed in a row; at least one. */
export function evidenceOf(failures: readonly Judged[], { time, histories }: Situation): string {
  const [first] = failures;
  const last = failures.at(-1);
  if (first === undefined || last === undefined) return '';
  const { proven } = histories[last.transport];
  const span =
    failures.length === 1
      ? `Tried at ${time(first.at)}`
      : `Tried ${times(failures.length)} from ${time(first.at)} to ${time(last.at)}`;
  const before = proven === null ? '' : `It was last seen to work at ${time(proven.endedAt)}`;
  return sentences(`${span}: ${answerTo(last)}`, before);
}

/** What came back, to be read after a colon. */
function answerTo({ transport, step, cause, tookMs }: Judged): string {
  const after = `after ${duration(tookMs)}`;
  const opened = transport === 'websocket' && step !== 'open' ? 'it opened, and ' : '';
  switch (cause.kind) {
    case 'unanswered':
      return `${opened}nothing came back within ${duration(tookMs)}`;
    case 'broken':
      return opened === '' ? `it failed ${after}, and browsers and Node do not tell why` : `${opened}broke ${after}`;
    case 'status':
      return `HTTP ${cause.status} came back ${after}`;
    case 'closed':
      return `${opened}was closed with ${cause.closeCode} ${after}`;
    case 'foreign':
    case 'disorder':
      return `what came back ${after} is not what the server sent (${cause.detail})`;
    case 'code':
      return `\`${cause.code}\` ${after}: ${MEANINGS[cause.code]}`;
    case 'unsupported':
    case 'unknown':
      return cause.detail;
    case 'doubted':
    case 'superseded':
    case 'none':
      return `something else took over ${after}`;
  }
}

/** "At 14:02:11Z WebSocket went silent after 3 min; polling took over after 1.4 s." */
export function lossStory(loss: Judged, all: readonly Judged[], time: (at: number) => string): string {
  const rescue = rescueAfter(loss, all);
  const then =
    rescue === null
      ? 'nothing has taken over yet'
      : `${TITLES[rescue.transport]} took over after ${duration(rescue.afterMs)}`;
  return sentences(`At ${time(loss.endedAt)} ${TITLES[loss.transport]} ${lossOf(loss)}; ${then}`);
}

/** How a link was lost, to be read after its transport's name. */
function lossOf({ cause, tookMs }: Judged): string {
  const lived = `after ${duration(tookMs)}`;
  switch (cause.kind) {
    case 'unanswered':
      return `stopped answering ${lived}`;
    case 'status':
      return `was answered HTTP ${cause.status} ${lived}`;
    case 'closed':
      return `was closed with ${cause.closeCode} ${lived}`;
    case 'foreign':
    case 'disorder':
      return `brought what the server has not sent ${lived} (${cause.detail})`;
    case 'code':
      return cause.code === 'silent' ? `went silent ${lived}` : `ended with \`${cause.code}\` ${lived}`;
    case 'doubted':
      return `went silent ${lived}, or was switched away from`;
    case 'unknown':
    case 'unsupported':
      return `was lost ${lived} (${cause.detail})`;
    case 'broken':
    case 'superseded':
    case 'none':
      return `broke ${lived}`;
  }
}
