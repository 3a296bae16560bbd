/** What is known of each transport. */
import type { Transport } from '@runnel/protocol';
import { evidenceOf, lossStory } from './evidence.ts';
import { type Finding, type FindingKind, finding, TITLES } from './finding.ts';
import { isBetter, type Judged, nextProbeAt } from './history.ts';
import {
  LET_BODIES_STREAM,
  LET_FRAMES_PASS,
  LET_POSTS_PASS,
  LET_UPGRADE_PASS,
  OVER_TLS,
  SIGN_IN,
  STATUS_MEANINGS,
} from './remedies.ts';
import { isAllowed, isPinned, postIsMissing, type Situation, worksElsewhere } from './situation.ts';
import { duration } from './wording.ts';

export function findTransport(transport: Transport, situation: Situation): Finding {
  const { all, diagnosis, histories, time } = situation;
  const { failures, losses, proven } = histories[transport];
  const worse = diagnosis.transport !== null && isBetter(transport, diagnosis.transport);
  const title = TITLES[transport];
  if (diagnosis.state.status === 'open' && diagnosis.transport === transport)
    return finding('carries', transport, `${title} carries the session`, {
      isProblem: false,
      evidence: `Since ${time(diagnosis.state.since)}.`,
    });
  if (!isAllowed(situation, transport))
    return finding('excluded', transport, `${title} is not allowed here`, {
      isProblem: false,
      evidence:
        diagnosis.choice === 'auto'
          ? `The \`transports\` option has ${diagnosis.transports.join(' and ')} only.`
          : `\`use("${diagnosis.choice}")\` was called.`,
    });
  const last = failures.at(-1);
  if (last !== undefined) return failing(last, failures, situation);
  if (transport === 'poll' && postIsMissing(situation))
    return finding('swallowed', 'poll', 'POSTs are not answered on this path', {
      evidence: 'The first POST had brought nothing when WebSocket was ready, which takes longer.',
      meaning:
        'A proxy or firewall swallows POSTs, or the first answer of the server was very slow. Without WebSocket nothing would get through.',
      remedies: LET_POSTS_PASS,
    });
  const lost = losses.at(-1);
  if (worse && lost !== undefined && lost.endedAt >= (proven?.endedAt ?? 0))
    return finding('lost', transport, `${title} was lost, and is tried again`, {
      evidence: lossStory(lost, all, time),
      retry: 'It is tried again within seconds, then ever more rarely, and at once when the network changes.',
    });
  if (worse && diagnosis.choice === 'auto')
    return finding('trying', transport, `${title} is being tried`, {
      isProblem: false,
      evidence: proven === null ? '' : `Proven at ${time(proven.endedAt)}.`,
      retry: 'It takes over when it is proven.',
    });
  if (proven !== null)
    return finding('works', transport, `${title} works`, {
      isProblem: false,
      evidence: `Proven at ${time(proven.endedAt)}, after ${duration(proven.tookMs)}.`,
    });
  return finding('untried', transport, `${title} was not tried`, {
    isProblem: false,
    evidence: diagnosis.transport === null ? '' : 'It was not needed: what carries the session is better, or quicker.',
  });
}

/** What a transport that does not get through fails for. */
function failing(last: Judged, failures: readonly Judged[], situation: Situation): Finding {
  const { transport, cause, step } = last;
  const title = TITLES[transport];
  const make = (kind: FindingKind, text: string, meaning: string, remedies: readonly string[]): Finding =>
    finding(kind, transport, text, {
      evidence: evidenceOf(failures, situation),
      meaning,
      remedies,
      retry: retryOf(transport, situation),
    });
  switch (cause.kind) {
    case 'unsupported':
      return make('unsupported', `There is no ${title} where this runs`, 'This runtime brings none.', [
        'Node 20: install the package `ws`. Node 22 and later have one.',
      ]);
    case 'foreign':
      return make(
        'intercepted',
        `Somebody else answers ${title.toLowerCase()} in the server's place`,
        INTERCEPTED,
        SIGN_IN,
      );
    case 'disorder':
      return make(
        'altered',
        `${title} is altered on the way`,
        'Something on the way repeats, drops or caches what it carries.',
        ['Keep caches and accelerators away from this path: `Cache-Control: no-store` must count.', OVER_TLS],
      );
    case 'status': {
      const [meaning, remedy] = STATUS_MEANINGS[cause.status] ?? STATUS_UNKNOWN;
      return make('status', `${title} is answered HTTP ${cause.status}`, meaning, [remedy]);
    }
    case 'code':
      if (cause.code !== 'silent')
        return make('refused', `The server has refused ${title.toLowerCase()} with \`${cause.code}\``, '', []);
  }
  const silence = cause.kind === 'unanswered' || cause.kind === 'code';
  if (!worksElsewhere(situation, failures)) {
    if (isPinned(situation))
      return make('unreachable', `${title} does not get through, and nothing else is allowed`, PINNED, LET_OTHERS);
    return make(
      'unreachable',
      `${title} does not get through, nor does anything else`,
      silence ? SILENT : REFUSED,
      LOOK,
    );
  }
  if (transport === 'websocket') {
    if (step !== 'open') return make('mute', `WebSocket opens, and then nothing comes through`, MUTE, LET_FRAMES_PASS);
    return silence
      ? make('swallowed', 'WebSocket is swallowed on this path', SWALLOWED, LET_UPGRADE_PASS)
      : make('blocked', 'WebSocket is blocked on this path', BLOCKED, LET_UPGRADE_PASS);
  }
  if (transport === 'stream')
    return silence
      ? make('held', 'Streams are held back on this path', HELD, LET_BODIES_STREAM)
      : make('blocked', 'Streams are cut off on this path', CUT_OFF, LET_BODIES_STREAM);
  return silence
    ? make('swallowed', 'POSTs are not answered on this path', POST_SWALLOWED, LET_POSTS_PASS)
    : make('blocked', 'POSTs are blocked on this path', POST_BLOCKED, LET_POSTS_PASS);
}

const PINNED = 'Whether the server can be reached by another transport was not tried.';
const LET_OTHERS = ['Allow all: leave `transports` out, and call `use("auto")`.'];
const SILENT = 'A firewall drops what goes to this host or port, or the server hangs.';
const REFUSED =
  'The server is down, its name does not resolve, a firewall refuses, or its certificate is not trusted, as where TLS is intercepted. For a page of another origin: the server does not allow it.';
const LOOK = ['The network log of the browser tells these apart; so does `curl -v -X POST` to the same URL.'];
const INTERCEPTED =
  'A captive portal (hotel, train, airport) or a proxy answers with a page of its own, or TLS is intercepted. It may be an error page or a login of your own proxy, too.';
const MUTE =
  'A proxy lets the handshake pass (101) and swallows the frames after it, as proxies do that inspect HTTP and do not know WebSocket, or the connection is cut at once.';
const SWALLOWED = 'The handshake goes up and no answer comes: a firewall or an inspecting proxy drops it.';
const BLOCKED =
  'A proxy does not pass `Upgrade` on and answers 400, 404 or 426 in its place, or a filter refuses WebSockets. POSTs to the same address pass.';
const HELD = 'A proxy keeps the body of an answer until it is whole, or packs it: buffering or compression.';
const CUT_OFF = 'A proxy ends answers that go on, or refuses them.';
const POST_SWALLOWED = 'A proxy or firewall takes POSTs and never answers them.';
const POST_BLOCKED =
  'A proxy or firewall refuses POSTs to this path. Browsers do not tell more; their network log does.';
const STATUS_UNKNOWN = [
  'Something in front of the server answers in its place',
  'Look for the request in the logs of each proxy on the way.',
] as const;

function retryOf(transport: Transport, situation: Situation): string {
  const { all, diagnosis, histories, time } = situation;
  const { state } = diagnosis;
  if (state.status === 'closed') return 'It is not tried again: the client is closed.';
  if (state.status === 'reconnecting')
    return state.retryAt > diagnosis.at
      ? `The next attempt is made at ${time(state.retryAt)}.`
      : 'An attempt is under way.';
  const due = nextProbeAt(histories[transport], all, diagnosis);
  if (due === null) return 'It is tried again with the next attempts.';
  const when = due <= diagnosis.at ? 'about now' : `about ${time(due)}`;
  return `It is tried again ${when}, then ever more rarely but at least every 5 min, and at once when the network changes.`;
}
