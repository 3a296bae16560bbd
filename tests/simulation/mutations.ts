/**
 * One deliberate break per rule of the session protocol (docs/PROTOCOL.md §7, §8 and the charter's promises), and what must notice it. `find` stands in the
 * file exactly once: a mutation that no longer applies is an error, so that this list follows the code.
 */
import type { WorldName } from './runner.ts';

export interface Mutation {
  readonly rule: string;
  /** What the broken code does. */
  readonly breaks: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Schedules of a world, or test files. */
  readonly by: { readonly world: WorldName; readonly seeds: number } | { readonly tests: readonly string[] };
}

const session = (seeds = 400) => ({ world: 'session', seeds }) as const;
const app = (seeds = 400) => ({ world: 'app', seeds }) as const;

const CLIENT = 'packages/protocol/src/session/client';
const SERVER = 'packages/protocol/src/session/server';
const CHANNELS = 'packages/protocol/src/channels';

export const MUTATIONS: readonly Mutation[] = [
  {
    rule: 'P1',
    breaks: 'a resumed link begins at the newest frame: what was not acknowledged is not sent again',
    file: `${SERVER}/server-link.ts`,
    find: 'this.next = base;',
    replace: 'this.next = session.ledger.tx;',
    by: session(),
  },
  {
    rule: 'P2',
    breaks: 'a message whose predecessor is missing is taken all the same',
    file: `${CHANNELS}/subscription.ts`,
    find: 'if (prev > this.#offset) return false;',
    replace: '',
    by: app(),
  },
  {
    rule: 'P2',
    breaks: 'a subscription that is asked for again does not say where it stood',
    file: `${CHANNELS}/subscription.ts`,
    find: 'if (since !== null) return { since };',
    replace: '',
    by: app(),
  },
  {
    rule: 'P3',
    breaks: 'a publish is answered before the broker has accepted it',
    file: 'packages/server/src/publishes.ts',
    find: 'await broadcasts.accepted();',
    replace: '',
    by: app(),
  },
  {
    rule: 'P3',
    breaks: 'what a handler broadcasts goes to the broker without its key',
    file: 'packages/server/src/publishes.ts',
    find: 'this.#core.broadcaster.broadcast(resolved, event, data, { by, idempotencyKey })',
    replace: 'this.#core.broadcaster.broadcast(resolved, event, data, { by })',
    by: app(),
  },
  {
    rule: 'P3',
    breaks: 'a request that may have run is asked again as if it were the first time',
    file: `${CHANNELS}/calls.ts`,
    find: 'const again = sentAt === null ? undefined : true;',
    replace: 'const again = undefined;',
    by: app(),
  },
  {
    rule: 'P3',
    breaks: 'the server runs a request again whatever the contract says',
    file: 'packages/server/src/requests.ts',
    find: 'if (again && !declared.idempotent) {',
    replace: "if (again && declared.name === '') {",
    by: app(),
  },
  {
    rule: 'P3',
    breaks: 'a streamed answer that has begun is asked for again in the next session',
    file: `${CHANNELS}/calls.ts`,
    find: 'if (call.begun) this.#settle(call, indeterminate(call));',
    replace: 'if (call.sentAt === 0) this.#settle(call, indeterminate(call));',
    by: app(),
  },
  {
    rule: 'P6',
    breaks: 'parts of a streamed answer go out whether they are allowed or not',
    file: 'packages/server/src/streamed-answer.ts',
    find: 'return this.#credit > 0 && this.#share > 0',
    replace: 'return this.#share > 0',
    by: app(),
  },
  {
    rule: 'P2',
    breaks: 'what was dropped for a slow subscriber is not declared',
    file: 'packages/server/src/slow-lane.ts',
    find: 'if (skipped !== null) this.#options.skip(skipped.from, skipped.to);',
    replace: '',
    by: app(),
  },
  {
    rule: 'P2',
    breaks: 'of two messages of one key that wait the older one is kept',
    file: 'packages/server/src/waiting-messages.ts',
    find: 'if (older !== undefined) this.#remove(older);',
    replace: 'if (older !== undefined) return;',
    by: app(),
  },
  {
    rule: 'P2',
    breaks: 'the position of a snapshot is taken after it was read',
    file: 'packages/server/src/catch-up.ts',
    find: 'const { epoch, head } = channel;\n      const snapshot = await this.#snapshot(snapshots);',
    replace: 'const snapshot = await this.#snapshot(snapshots);\n      const { epoch, head } = channel;',
    by: app(),
  },
  {
    rule: 'P2',
    breaks: 'who came or left while a change waited to be told is not told of',
    file: 'packages/server/src/presence-channel.ts',
    find: 'if (!this.#changed.has(id)) this.#changed.set(',
    replace: 'if (this.#cancelTimer === null) this.#changed.set(',
    by: app(),
  },
  {
    rule: 'P4',
    breaks: 'what a client publishes reaches the handler unchecked',
    file: 'packages/server/src/publishes.ts',
    find: 'const value = await validateOrThrow(declared.schema, data,',
    replace: 'const value = ((..._: unknown[]) => data)(declared.schema, data,',
    by: { tests: ['packages/server/test/publishes.test.ts'] },
  },
  {
    rule: 'P4',
    breaks: 'what a handler broadcasts goes out unchecked',
    file: 'packages/server/src/broadcaster.ts',
    find: 'const checked = validateOrThrow(event.schema, data, subject(resolved, event));',
    replace: 'const checked: unknown = data;',
    by: { tests: ['packages/server/test/publishes.test.ts', 'packages/server/test/application.test.ts'] },
  },
  {
    rule: 'C2',
    breaks: 'an attach that overtakes another has the same generation',
    file: `${CLIENT}/identity.ts`,
    find: 'this.#gen += 1;',
    replace: 'this.#gen = this.adoptedGen + 1;',
    by: session(),
  },
  {
    rule: 'C3',
    breaks: 'any welcome is adopted while one is awaited',
    file: `${CLIENT}/linkage.ts`,
    find: 'if (!this.attaching.isOn(carrier) || welcome.gen !== gen) return;',
    replace: 'if (this.attaching.pending === null) return;',
    by: session(),
  },
  {
    rule: 'C5',
    breaks: 'numbered frames go up a socket that waits for its welcome',
    file: `${CLIENT}/path.ts`,
    find: 'return this.socket?.awaiting !== true;',
    replace: 'return true;',
    by: session(),
  },
  {
    rule: 'C6',
    breaks: 'a frame that was taken already is taken again',
    file: `${CLIENT}/client-session.ts`,
    find: 'if (n < rx) return;',
    replace: '',
    by: session(),
  },
  {
    rule: 'C7',
    breaks: 'after a resume only new frames go up',
    file: `${CLIENT}/path.ts`,
    find: 'this.#sent = welcome.rx;',
    replace: 'this.#sent = this.#parts.incarnation.ledger.tx;',
    by: session(),
  },
  {
    rule: 'S2',
    breaks: 'an attach of an old generation is accepted',
    file: `${SERVER}/session-registry.ts`,
    find: 'if (attach.gen <= session.gen) return this.#refuse(carrier, [Type.fenced, session.gen]);',
    replace: '',
    by: session(),
  },
  {
    rule: 'S3',
    breaks: 'the base of a welcome is what the attach said, however old',
    file: `${SERVER}/session-registry.ts`,
    find: 'const base = Math.max(attach.key === undefined ? 0 : attach.rx, ledger.acked);',
    replace: 'const base = attach.key === undefined ? 0 : attach.rx;',
    by: session(),
  },
  {
    rule: 'S3',
    breaks: 'a poll of the generation before is held on',
    file: `${SERVER}/server-session.ts`,
    find: 'this.#polls.supersede(now);',
    replace: '',
    by: session(),
  },
  {
    rule: 'S4',
    breaks: 'a superseded socket is still heard',
    file: `${SERVER}/server-link.ts`,
    find: 'frame[0] === Type.goaway ? this.session : current',
    replace: 'this.session',
    by: session(),
  },
  {
    rule: 'S4',
    breaks: 'a POST of an old generation is still heard',
    file: `${SERVER}/session-registry.ts`,
    find: 'if (session.gen !== header.gen) return this.#unheard',
    replace: 'if (header.gen < 0) return this.#unheard',
    by: session(),
  },
  {
    rule: 'S6',
    breaks: 'dropping the outbox counts as an acknowledgement',
    file: 'packages/protocol/src/session/ledger.ts',
    find: 'this.#ob = this.tx;',
    replace: 'this.#ob = this.tx;\n    this.#acked = this.#ob;',
    by: session(),
  },
  {
    rule: 'S6',
    breaks: 'after dropping the outbox the session counts as resumable at once',
    file: 'packages/protocol/src/session/ledger.ts',
    find: 'return base >= this.#ob && base <= this.tx;',
    replace: 'return base >= this.#acked && base <= this.tx;',
    by: session(),
  },
  {
    rule: 'H1',
    breaks: 'a request body that was cut off is applied as far as it came',
    file: 'packages/server/src/transports/body-intake.ts',
    find: "settle({ refused: 'cut_off' })",
    replace: 'settle({ bytes: Buffer.concat(chunks) })',
    by: {
      tests: ['packages/server/test/transports/body-intake.test.ts', 'packages/server/test/transports/post.test.ts'],
    },
  },
  {
    rule: 'H1',
    breaks: 'a line without its end is a frame',
    file: 'packages/protocol/src/wire/lines.ts',
    find: '    this.#keep(chunk.slice(start));\n    return lines;',
    replace: '    if (start < chunk.length) lines.push(chunk.slice(start));\n    return lines;',
    by: { tests: ['packages/protocol/test/wire/lines.test.ts'] },
  },
  {
    rule: 'H2',
    breaks: 'a POST that leaves frames out is applied',
    file: `${SERVER}/session-registry.ts`,
    find: ' || header.base > session.ledger.rx',
    replace: '',
    by: session(),
  },
  {
    rule: 'H2',
    breaks: 'a POST that comes again is applied again',
    file: `${SERVER}/session-registry.ts`,
    find: 'counted ? seq >= session.ledger.rx : fresh',
    replace: 'counted || fresh',
    by: session(),
  },
  {
    rule: 'H3',
    breaks: 'a poll that comes late takes the place of the newest',
    file: `${SERVER}/poll-side.ts`,
    find: 'if (n < this.#n) return answer.end(this.#empty(n));',
    replace: '',
    by: session(),
  },
];
