import { type AppDownFrame, ClientSession, type Effect, encodeFrame, type SessionState } from '@runnel/protocol';
import { expect, test } from 'vitest';

const limits = { messageBytes: 1_048_576, outboxBytes: 4_194_304, holdMs: 25_000, dedupMs: 300_000, ttlMs: 120_000 };

interface Attach {
  readonly cid: string;
  readonly gen: number;
  readonly key?: string;
  readonly rx: number;
}

/** A session over polls, to which the test plays the server. */
function begin(resume?: SessionState) {
  const frames: AppDownFrame[] = [];
  const resumed: boolean[] = [];
  const session = new ClientSession({
    app: {
      subs: () => [],
      lost: () => frames.push([19, 999, 'lost']),
      attached: (subs) => resumed.push(subs === null),
      frame: (frame) => frames.push(frame),
      state: () => {},
      attempt: () => {},
    },
    transports: ['poll'],
    newId: () => `cid of ${resume === undefined ? 'the first' : 'the second'}`,
    random: () => 0,
    hasCredentials: false,
    resume,
  });
  /** The requests that it makes by now: their numbers and their lines. */
  const requests = (): { readonly carrier: number; readonly lines: readonly (readonly unknown[])[] }[] =>
    session
      .takeEffects()
      .filter((effect): effect is Effect & { readonly type: 'request' } => effect.type === 'request')
      .map(({ carrier, body }) => ({
        carrier,
        lines: body
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line)),
      }));
  const attach = (): { readonly carrier: number; readonly words: Attach } => {
    const [request] = requests();
    return { carrier: request?.carrier ?? 0, words: request?.lines[0]?.[1] as Attach };
  };
  const welcome = (carrier: number, { cid, gen }: Attach, more: { readonly rx: number; readonly base: number }) => {
    const names = { cid, gen, key: 'key', sid: 'sid', node: 'n', client: 'ours' };
    const offered = { heartbeatMs: 10_000, limits, transports: ['poll'] as const };
    const line = encodeFrame([0, { ...names, ...offered, resumed: resume !== undefined, ...more }]);
    session.handleLine(carrier, line, 1);
  };
  session.start(0);
  return { session, frames, resumed, requests, attach, welcome };
}

test('A session goes on elsewhere: with the next generation, what was not acknowledged, and a frame that was arriving', () => {
  const first = begin();
  const { carrier, words } = first.attach();
  first.welcome(carrier, words, { rx: 0, base: 0 });
  first.session.send([1, 2].map((id) => ({ text: `[21,${id}]`, size: 7 })));
  first.session.handleLine(carrier, '[30,1,"[19,7,"]', 2);
  const state = structuredClone(first.session.handOver());
  expect(first.session.state.status).toBe('closed');
  first.session.handleTimeout(60_000);
  // Nothing is said of it to the server.
  expect(first.requests().flatMap(({ lines }) => lines.filter(([type]) => type === 4 || type === 0))).toEqual([]);

  const second = begin(state);
  const again = second.attach();
  expect(again.words).toMatchObject({ cid: words.cid, gen: words.gen + 1, key: 'key', rx: 1 });
  second.welcome(again.carrier, again.words, { rx: 1, base: 1 });
  expect(second.resumed).toEqual([true]);
  second.session.handleLine(again.carrier, '[30,0,"\\"whole\\"]"]', 2);
  expect(second.frames).toEqual([[19, 7, 'whole']]);
  second.session.handleTimeout(20);
  const posted = second.requests().flatMap(({ lines }) => (lines[0]?.[0] === 11 ? lines.slice(1) : []));
  expect(posted).toEqual([[21, 2]]);
});
