/** What is known of the connection as a whole. */
import { TRANSPORTS, type Transport } from '@runnel/protocol';
import { CLOSINGS } from './closings.ts';
import { lossStory } from './evidence.ts';
import { type Finding, finding, TITLES } from './finding.ts';
import { failuresOfAll, regularCutMs } from './history.ts';
import { codeOfCause } from './reasons.ts';
import { KEEP_QUIET_LINKS } from './remedies.ts';
import { isAllowed, isPinned, type Situation } from './situation.ts';
import { duration, times } from './wording.ts';

/** Something outside that the client acts upon, and that whoever asks has seen. */
export interface NetworkChange {
  /** Ms since 1970. */
  readonly at: number;
  readonly kind: 'network' | 'offline' | 'online' | 'sleep';
}

/** Slower than that feels slow, and each doubt takes four times as long. */
const SLOW_MS = 600;

/** Losses longer ago than that are no trouble any more. */
const RECENT_MS = 120_000;

const CREDENTIALS = /^credentials: (.*)/;

export function findConnection(
  situation: Situation,
  online: boolean | null,
  changes: readonly NetworkChange[],
): readonly Finding[] {
  return [
    closed(situation),
    offline(situation, online),
    credentials(situation),
    restart(situation),
    ...TRANSPORTS.map((transport) => cut(transport, situation)),
    losses(situation),
    doubts(situation),
    slow(situation),
    shared(situation),
    changed(situation, changes),
  ].filter((found) => found !== null);
}

function closed({ diagnosis: { state } }: Situation): Finding | null {
  if (state.status !== 'closed') return null;
  const { title, meaning, remedy } = CLOSINGS[state.code];
  return finding('closed', null, `Closed: ${title}`, {
    isProblem: state.code !== 'closed',
    evidence: state.reason === '' ? `\`${state.code}\`.` : `\`${state.code}\`: ${state.reason}`,
    meaning,
    remedies: [remedy],
    retry: 'The client does not come back by itself.',
  });
}

function offline({ diagnosis: { state } }: Situation, online: boolean | null): Finding | null {
  if (online !== false || state.status === 'closed') return null;
  return finding('offline', null, 'This device is offline', {
    evidence: 'The browser says so.',
    meaning: 'Publishes wait, within a bound; the session itself waits at the server for two minutes.',
    retry: 'All is tried again at once when it is online.',
  });
}

function credentials({ diagnosis: { state } }: Situation): Finding | null {
  const failed = state.status === 'reconnecting' ? CREDENTIALS.exec(state.reason)?.[1] : undefined;
  if (failed !== undefined)
    return finding('credentials', null, 'The credentials could not be had', {
      evidence: `The \`auth\` option failed: ${failed}`,
      meaning: 'What gives this app its tokens cannot be reached, or refuses.',
      remedies: ['Look at what `auth` calls; the realtime server was not asked.'],
      retry: 'It is asked again with the next attempt.',
    });
  if (state.status !== 'reconnecting' || !['unauthorized', 'credentials_expired'].includes(state.code)) return null;
  return finding('credentials', null, 'The server has refused the credentials', {
    evidence: `\`${state.code}\`.`,
    meaning: 'They have expired, or are not what `authenticate` expects.',
    remedies: ['If this comes back: look at what `auth` returns, and at the clock of the server.'],
    retry: 'The `auth` option is asked for fresh ones. If those are refused too, the client is closed.',
  });
}

const SERVER_CODES = ['server_closing', 'session_lost', 'internal', 'overloaded'] as const;

function restart({ all, diagnosis, time }: Situation): Finding | null {
  const told = all.filter(({ cause }) => SERVER_CODES.some((code) => code === codeOfCause(cause))).at(-1);
  if (told === undefined) return null;
  const code = codeOfCause(told.cause);
  const going = diagnosis.transport === null;
  const what =
    code === 'overloaded'
      ? 'The server was too busy'
      : code === 'internal'
        ? 'The server has failed'
        : 'The server was restarted, or has handed its sessions over';
  return finding('restart', null, what, {
    isProblem: going || code === 'internal',
    evidence: `It said \`${code}\` at ${time(told.endedAt)}.`,
    meaning:
      code === 'internal'
        ? 'The `onError` of the server has the cause.'
        : 'This says nothing about the network, and nothing is held against it.',
    retry: going ? 'The client comes back by itself, after a random part of the time it was told.' : '',
  });
}

function cut(transport: Transport, { histories, time }: Situation): Finding | null {
  const history = histories[transport];
  const afterMs = regularCutMs(history);
  if (afterMs === null) return null;
  return finding('cut', transport, `${TITLES[transport]} is cut after about ${duration(afterMs)}`, {
    evidence: `Its last links lived ${history.losses
      .slice(-2)
      .map(({ tookMs }) => duration(tookMs))
      .join(' and ')}; the last was cut at ${time(history.losses.at(-1)?.endedAt ?? 0)}.`,
    meaning:
      'A proxy or load balancer ends connections that are quiet, or that are old. Nothing is lost by it. Two cuts after the same silence teach the client to ping in half that time, and polls to be shorter.',
    remedies: KEEP_QUIET_LINKS,
  });
}

function losses({ all, time, diagnosis }: Situation): Finding | null {
  const lost = all.filter(({ step, cause }) => step === 'live' && !['superseded', 'doubted'].includes(cause.kind));
  const last = lost.at(-1);
  const first = lost[0];
  if (first === undefined || last === undefined) return null;
  const title = `The link was lost ${times(lost.length)}${lost.length > 1 ? ` since ${time(first.endedAt)}` : ''}`;
  return finding('lost', null, title, {
    isProblem: lost.filter(({ endedAt }) => endedAt > diagnosis.at - RECENT_MS).length > 2,
    evidence: lossStory(last, all, time),
    meaning:
      diagnosis.counts.resumes > 0
        ? `The session went on from link to link ${times(diagnosis.counts.resumes)}: what was under way arrived all the same, once and in order.`
        : '',
  });
}

/** Links that were replaced while they were still there. */
function doubts({ all, time }: Situation): Finding | null {
  const doubted = all.filter(({ cause }) => cause.kind === 'doubted');
  const last = doubted.at(-1);
  if (last === undefined) return null;
  return finding('doubted', null, `A link was given up ${times(doubted.length)} for one by a lesser transport`, {
    isProblem: false,
    evidence: lossStory(last, all, time),
    meaning:
      'A link is given up when what was asked on it has no answer in time: the network was changed for another, or something on the way has forgotten the connection.',
  });
}

function slow({ diagnosis: { roundTripMs, transport } }: Situation): Finding | null {
  if (roundTripMs === null || roundTripMs < SLOW_MS || transport === null) return null;
  return finding('slow', null, `The path is slow: a round trip takes ${duration(roundTripMs)}`, {
    meaning: 'A distant server, a congested link, or a busy server. A silent path is found out in four round trips.',
    remedies: ['Compare with a plain request to the same host: if that is fast, look at the load of the server.'],
  });
}

function shared({ diagnosis: { sharing } }: Situation): Finding | null {
  if (sharing === null) return null;
  const { host, tabs } = sharing;
  const whose =
    host === null ? 'it is not known yet where that is' : `it is in ${host === 'worker' ? 'a worker' : host}`;
  const title = tabs === 0 ? 'Tabs share one session' : `${tabs} ${tabs === 1 ? 'tab uses' : 'tabs share'} one session`;
  return finding('shared', null, title, {
    isProblem: false,
    evidence: `All of this is about that session; ${whose}.`,
    meaning: 'Where the tab that has it goes, another takes it over; what was under way goes on.',
  });
}

const CHANGES: Readonly<Record<NetworkChange['kind'], string>> = {
  network: 'The network changed',
  offline: 'The device went offline',
  online: 'The device came back online',
  sleep: 'The page or the machine slept',
};

function changed({ all, time }: Situation, changes: readonly NetworkChange[]): Finding | null {
  const last = changes.at(-1);
  if (last === undefined) return null;
  const loss = all.find(({ step, endedAt }) => step === 'live' && endedAt >= last.at);
  return finding('changed', null, `${CHANGES[last.kind]} at ${time(last.at)}`, {
    isProblem: false,
    evidence: loss === undefined ? 'The link has survived it.' : lossStory(loss, all, time),
    meaning:
      'What was learned of the network before is forgotten then: the link is asked for a sign of life, and all transports are tried again at once.',
  });
}

/** What keeps a client that is not connected from connecting, in a few words; null where nothing has failed yet. */
export function obstacleOf(situation: Situation, online: boolean | null): string | null {
  const { all, diagnosis } = situation;
  const { state } = diagnosis;
  if (online === false) return 'this device is offline';
  if (state.status === 'reconnecting' && CREDENTIALS.test(state.reason)) return 'the credentials could not be had';
  const failed = failuresOfAll(all);
  const causes = failed.map(({ cause }) => cause);
  const last = causes.at(-1);
  if (last === undefined) return null;
  const code = causes
    .map(codeOfCause)
    .filter((told) => told !== null)
    .at(-1);
  if (code === 'server_closing') return 'the server is restarting';
  if (code === 'overloaded') return 'the server is too busy';
  if (code === 'internal') return 'the server fails';
  if (code === 'unauthorized' || code === 'credentials_expired') return 'the server has refused the credentials';
  if (causes.some(({ kind }) => kind === 'foreign'))
    return "somebody else answers in the server's place, for instance a captive portal";
  const status = causes.find((cause) => cause.kind === 'status');
  if (status?.kind === 'status') return `the server's place is answered HTTP ${status.status}`;
  const tries = failed.filter(({ step }) => step !== 'live').map(({ cause }) => cause);
  if (tries.length === 0) return null;
  const only = TRANSPORTS.filter((transport) => isAllowed(situation, transport));
  if (isPinned(situation) && only[0] !== undefined)
    return `${TITLES[only[0]]} does not get through, and nothing else is allowed`;
  if (tries.every(({ kind }) => kind === 'unanswered')) return 'nothing is answered on this path';
  return 'the server cannot be reached';
}
