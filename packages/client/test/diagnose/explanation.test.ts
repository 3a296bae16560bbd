import type { Attempt, ClosingCode, Transport } from '@runnel/protocol';
import { describe, expect, test } from 'vitest';
import { CLOSINGS } from '../../src/diagnose/closings.ts';
import { type Explanation, explain, type Finding, type FindingKind } from '../../src/diagnose/index.ts';
import { attempt, diagnosisOf, open, T0 } from './diagnosis-of.ts';

const BROKE = 'the connection broke';
const NOTHING = 'no answer in time';

const polled = attempt(0, 'poll', 'attach', 20);
const socketProven = [attempt(0, 'websocket', 'probe', 30), attempt(0.03, 'websocket', 'attach', 10)];
const streamProven = [attempt(1, 'stream', 'probe', 30), attempt(1.03, 'stream', 'attach', 10)];
const socketBroke = attempt(0.03, 'websocket', 'open', 12, BROKE);
const streamHeld = attempt(0.1, 'stream', 'probe', 8_000, NOTHING);

function of({ transports }: Explanation, transport: Transport): Finding {
  const found = transports.find((finding) => finding.transport === transport);
  if (found === undefined) throw new Error(`nothing is said of ${transport}`);
  return found;
}

const kinds = ({ transports }: Explanation): FindingKind[] => transports.map(({ kind }) => kind);

describe('connected', () => {
  test('over WebSocket: all is well, and nothing is asked of anybody', () => {
    const told = explain(diagnosisOf(open('websocket', 1), [polled, ...socketProven]));
    expect(told.verdict).toBe('Connected over WebSocket');
    expect(told.health).toBe('good');
    expect(kinds(told)).toEqual(['carries', 'untried', 'works']);
    expect(told.connection).toEqual([]);
    expect(told.transports.flatMap(({ remedies }) => remedies)).toEqual([]);
  });

  test('over a stream, for WebSocket is refused', () => {
    const told = explain(diagnosisOf(open('stream', 2), [polled, socketBroke, ...streamProven]));
    expect(told.verdict).toBe('Connected over a stream; WebSocket is blocked on this path');
    expect(told.health).toBe('degraded');
    const socket = of(told, 'websocket');
    expect(socket.evidence).toMatch(/^Tried at 14:00:00Z: it failed after 12 ms/);
    expect(socket.remedies.join()).toContain('proxy_set_header Upgrade $http_upgrade');
    expect(socket.retry).toContain('about 14:00:02Z');
  });

  test.each<[string, Attempt[], FindingKind, RegExp]>([
    [
      'is never answered',
      [attempt(0, 'websocket', 'open', 8_000, NOTHING)],
      'swallowed',
      /nothing came back within 8.0 s/,
    ],
    [
      'opens and is silent',
      [attempt(0, 'websocket', 'probe', 8_000, NOTHING)],
      'mute',
      /it opened, and nothing came back/,
    ],
    ['opens and breaks', [attempt(0, 'websocket', 'probe', 40, 'closed with 1006')], 'mute', /was closed with 1006/],
    [
      'is none',
      [attempt(0, 'websocket', 'open', 0, 'there is no WebSocket here')],
      'unsupported',
      /there is no WebSocket/,
    ],
    ['is altered', [attempt(0, 'websocket', 'attach', 9, 'frame 3 came where 2 was due')], 'altered', /frame 3/],
  ])('by polling, where WebSocket %s', (_, failed, kind, evidence) => {
    const told = explain(diagnosisOf(open('poll', 1), [polled, ...failed]));
    expect(of(told, 'websocket').kind).toBe(kind);
    expect(of(told, 'websocket').evidence).toMatch(evidence);
    expect(told.health).toBe('degraded');
  });

  test('by polling, for WebSocket is blocked and streams are held back', () => {
    const told = explain(diagnosisOf(open('poll', 1), [polled, socketBroke, streamHeld]));
    expect(told.verdict).toBe(
      'Connected by polling; WebSocket is blocked on this path; streams are held back on this path',
    );
    const { remedies, meaning } = of(told, 'stream');
    expect(meaning).toContain('keeps the body');
    expect(remedies.join()).toContain('X-Accel-Buffering');
    expect(remedies.join()).toContain('proxy_buffering off');
  });

  test('over WebSocket alone, for no POST is answered', () => {
    const told = explain(diagnosisOf(open('websocket', 1), socketProven));
    expect(told.verdict).toBe('Connected over WebSocket; POSTs are not answered on this path');
    expect(of(told, 'poll').remedies.length).toBeGreaterThan(0);
  });

  test('over a transport that was asked for', () => {
    const told = explain(diagnosisOf(open('poll', 1), [polled], { choice: 'poll' }));
    expect(told.verdict).toBe('Connected by polling, as it was told to');
    expect(told.health).toBe('good');
    expect(kinds(told)).toEqual(['excluded', 'excluded', 'carries']);
    const { evidence } = of(explain(diagnosisOf(open('poll'), [polled], { transports: ['poll'] })), 'stream');
    expect(evidence).toBe('The `transports` option has poll only.');
  });

  test('in a session that tabs share', () => {
    const told = explain(diagnosisOf(open('websocket'), [polled], { sharing: { host: 'another tab', tabs: 3 } }));
    expect(told.health).toBe('good');
    const [shared] = told.connection;
    expect(shared?.title).toBe('3 tabs share one session');
    expect(shared?.evidence).toContain('it is in another tab');
  });

  test('over a slow path', () => {
    const told = explain(diagnosisOf(open('websocket', 1), [polled, ...socketProven], { roundTripMs: 1_450 }));
    expect(told.verdict).toBe('Connected over WebSocket; the path is slow: a round trip takes 1.4 s');
  });

  test('over a path that cuts links after the same time', () => {
    const cuts = [20, 80.5, 141].map((at) => attempt(at, 'websocket', 'live', 60_000 + at, BROKE));
    const told = explain(diagnosisOf(open('websocket', 202), [polled, ...socketProven, ...cuts, ...socketProven]));
    expect(told.verdict).toContain('WebSocket is cut after about 60 s');
    const cut = told.connection.find(({ kind }) => kind === 'cut');
    expect(cut?.remedies.join()).toContain('proxy_read_timeout');
    expect(told.connection.find(({ kind }) => kind === 'lost')?.title).toBe(
      'The link was lost 3 times since 14:01:20Z',
    );
  });

  test('after cuts that have nothing in common, without a rule being seen in them', () => {
    const cuts = [attempt(20, 'websocket', 'live', 60_000, BROKE), attempt(100, 'websocket', 'live', 9_000, BROKE)];
    const told = explain(diagnosisOf(open('websocket', 202), [polled, ...cuts, ...socketProven]));
    expect(told.connection.map(({ kind }) => kind)).toEqual(['lost']);
  });
});

describe('what has happened', () => {
  const silent = attempt(0.05, 'websocket', 'live', 60_000, 'silent');
  const rescued = [polled, ...socketProven, silent, attempt(61.05, 'poll', 'attach', 400)];

  test('a link that went silent, and what took over', () => {
    const told = explain(
      diagnosisOf(open('poll', 61), rescued, { counts: { framesUp: 1, framesDown: 1, resumes: 1, attaches: 3 } }),
    );
    const [lost] = told.connection;
    expect(lost?.title).toBe('The link was lost once');
    expect(lost?.evidence).toBe('At 14:01:00Z WebSocket went silent after 60 s; Polling took over after 1.4 s.');
    expect(lost?.meaning).toContain('once and in order');
  });

  test('a link that was doubted and replaced, of which no attempt tells', () => {
    const attempts = [polled, ...socketProven, attempt(60, 'poll', 'attach', 300)];
    const told = explain(diagnosisOf(open('poll', 61), attempts));
    expect(told.verdict).toBe('Connected by polling; WebSocket was lost, and is tried again');
    expect(told.connection.map(({ kind }) => kind)).toEqual(['doubted']);
    expect(told.connection[0]?.evidence).toContain('WebSocket went silent after 60 s, or was switched away from');
    const back = [...attempts, attempt(61, 'websocket', 'probe', 30), attempt(61.03, 'websocket', 'attach', 10)];
    expect(explain(diagnosisOf(open('websocket', 61), [...back, ...back, ...back])).health).toBe('good');
    const asked = explain(diagnosisOf(open('poll', 61), attempts, { choice: 'poll' }));
    expect(asked.connection).toEqual([]);
    expect(asked.health).toBe('good');
  });

  test('a link that is doubted, while nothing takes its place', () => {
    const attempts = [polled, ...socketProven, attempt(60, 'poll', 'attach', 1_200, NOTHING)];
    const told = explain(diagnosisOf(open('websocket', 1), attempts));
    expect(told.verdict).toBe('Connected over WebSocket, which has gone silent; no POST is answered');
    expect(told.health).toBe('down');
    const later = explain(diagnosisOf(open('websocket', 1), attempts, { at: T0 + 90_000 }));
    expect(later.health).toBe('degraded');
  });

  test('a better transport that is on its way', () => {
    const told = explain(diagnosisOf(open('poll', 1), [polled]));
    expect(told.verdict).toBe('Connected by polling');
    expect(kinds(told)).toEqual(['trying', 'trying', 'carries']);
    expect(told.health).toBe('good');
  });

  test('a change of the network, and what it did', () => {
    const changes = [{ at: T0 + 50_000, kind: 'network' as const }];
    const told = explain(diagnosisOf(open('poll', 61), rescued), { changes });
    const changed = told.connection.find(({ kind }) => kind === 'changed');
    expect(changed?.title).toBe('The network changed at 14:00:50Z');
    expect(changed?.evidence).toContain('Polling took over after 1.4 s');
    const survived = explain(diagnosisOf(open('websocket', 1), [polled, ...socketProven]), {
      changes: [{ at: T0 + 50_000, kind: 'sleep' }],
    });
    expect(survived.connection[0]?.title).toBe('The page or the machine slept at 14:00:50Z');
    expect(survived.connection[0]?.evidence).toBe('The link has survived it.');
    expect(survived.health).toBe('good');
  });

  test('an outage that is over, which is not held against what had worked before', () => {
    const outage = [
      attempt(9, 'websocket', 'live', 9_000, BROKE),
      attempt(10, 'poll', 'attach', 20, 'unreadable: <'),
      attempt(11, 'websocket', 'open', 20, BROKE),
    ];
    const told = explain(diagnosisOf(open('websocket', 12), [polled, ...socketProven, ...outage, ...socketProven]));
    expect(told.health).toBe('good');
    expect(of(told, 'poll').kind).toBe('works');
    const stillOut = explain(diagnosisOf({ status: 'connecting', attempt: 2 }, [polled, ...socketProven, ...outage]));
    expect(of(stillOut, 'poll').kind).toBe('intercepted');
  });

  test('a server that was restarted, which is not held against the network', () => {
    const closing = attempt(1, 'websocket', 'live', 9_000, 'server_closing');
    const told = explain(diagnosisOf(open('websocket', 12), [polled, ...socketProven, closing, ...socketProven]));
    expect(told.health).toBe('good');
    expect(told.connection[0]?.title).toContain('restarted');
  });
});

describe('not connected', () => {
  const reconnecting = {
    status: 'reconnecting',
    willReconnect: true,
    code: 'link_lost',
    reason: BROKE,
    attempt: 2,
    retryAt: T0 + 60_000,
  } as const;
  const connecting = { status: 'connecting', attempt: 3 } as const;

  test.each([
    [BROKE, 'Not connected: the server cannot be reached', 'unreachable'],
    [NOTHING, 'Not connected: nothing is answered on this path', 'unreachable'],
    [
      'unreadable: <',
      "Not connected: somebody else answers in the server's place, for instance a captive portal",
      'intercepted',
    ],
    ['closed with 502', "Not connected: the server's place is answered HTTP 502", 'status'],
    ['server_closing', 'Not connected: the server is restarting', 'refused'],
    ['overloaded', 'Not connected: the server is too busy', 'refused'],
    ['unauthorized', 'Not connected: the server has refused the credentials', 'refused'],
    ['internal', 'Not connected: the server fails', 'refused'],
  ])('for %s', (reason, verdict, kind) => {
    const told = explain(diagnosisOf(connecting, [attempt(0, 'poll', 'attach', 30, reason)]));
    expect(told.verdict).toBe(verdict);
    expect(told.health).toBe('down');
    expect(of(told, 'poll').kind).toBe(kind);
  });

  test('blames no transport where nothing gets through', () => {
    const told = explain(
      diagnosisOf(reconnecting, [
        polled,
        attempt(3, 'websocket', 'open', 12, BROKE),
        attempt(3, 'poll', 'attach', 30, BROKE),
      ]),
    );
    expect(kinds(told)).toEqual(['unreachable', 'untried', 'unreachable']);
    expect(of(told, 'poll').retry).toBe('The next attempt is made at 14:01:00Z.');
    expect(of(told, 'websocket').remedies.join()).not.toContain('proxy');
    expect(of(told, 'websocket').meaning).toContain('certificate');
  });

  test('by the only transport that is allowed', () => {
    const failed = [attempt(0, 'websocket', 'open', 20, BROKE)];
    const told = explain(diagnosisOf(connecting, failed, { transports: ['websocket'] }));
    expect(told.verdict).toBe('Not connected: WebSocket does not get through, and nothing else is allowed');
    expect(of(told, 'websocket').remedies.join()).toContain('use("auto")');
    expect(kinds(explain(diagnosisOf(connecting, failed, { choice: 'websocket' })))).toEqual([
      'unreachable',
      'excluded',
      'excluded',
    ]);
  });

  test('where the device is offline, whatever else is known', () => {
    const told = explain(diagnosisOf(reconnecting, [polled, socketBroke]), { online: false });
    expect(told.verdict).toBe('Not connected: this device is offline');
    expect(told.connection[0]?.kind).toBe('offline');
  });

  test('for want of credentials', () => {
    const told = explain(diagnosisOf({ ...reconnecting, reason: 'credentials: 500 from /token' }, [polled]));
    expect(told.verdict).toBe('Not connected: the credentials could not be had');
    expect(told.connection[0]?.evidence).toBe('The `auth` option failed: 500 from /token');
    const refused = explain(diagnosisOf({ ...reconnecting, code: 'unauthorized', reason: 'unauthorized' }, [polled]));
    expect(refused.connection[0]?.title).toBe('The server has refused the credentials');
  });

  test('while the first attempt is under way', () => {
    expect(explain(diagnosisOf({ status: 'connecting', attempt: 1 })).health).toBe('pending');
    expect(explain(diagnosisOf({ status: 'idle' })).verdict).toBe('Not connected: nothing was asked for yet');
  });

  test.each(Object.keys(CLOSINGS) as ClosingCode[])('for good, with %s: it says why and what to do', (code) => {
    const told = explain(diagnosisOf({ status: 'closed', willReconnect: false, code, reason: 'because' }, [polled]));
    expect(told.health).toBe('closed');
    expect(told.verdict).toMatch(/^Closed: \w/);
    const [closed] = told.connection;
    expect(closed?.evidence).toContain(`\`${code}\``);
    expect(closed?.meaning).not.toBe('');
    expect(closed?.remedies[0]).toBeDefined();
    expect(closed?.isProblem).toBe(code !== 'closed');
  });
});

describe('the report', () => {
  const diagnosis = diagnosisOf(open('stream', 2), [polled, socketBroke, ...streamProven]);

  test('holds the verdict, every finding and every attempt, in UTC whatever the panel shows', () => {
    const { text, transports } = explain(diagnosis, { time: () => 'noon' });
    expect(text).toContain('Runnel connection report, 2026-01-05T14:00:01.040Z');
    expect(text).toContain('Connected over a stream; WebSocket is blocked on this path.');
    for (const { title } of transports) expect(text).toContain(title);
    expect(text).toContain('14:00:00Z  websocket  open    failed   12 ms  the connection broke');
    expect(text).not.toContain('noon');
    expect(of(explain(diagnosis, { time: () => 'noon' }), 'websocket').evidence).toContain('noon');
  });

  test('is the same for the same diagnosis, which may have been through JSON', () => {
    expect(explain(JSON.parse(JSON.stringify(diagnosis)))).toEqual(explain(diagnosis));
  });
});
