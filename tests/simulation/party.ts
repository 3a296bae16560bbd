/** One client of the session world, with an application that sends numbered frames and checks those it is handed. */
import { ClientSession, type Line, splitLine, type Transport } from '@runnel/protocol';
import { type Random, VirtualClient, type VirtualNetwork, type VirtualTime } from '@runnel/protocol/testing';
import type { Coverage } from './coverage.ts';
import type { EventLog } from './event-log.ts';
import type { LedgerChecker } from './ledger-checker.ts';
import { check } from './violation.ts';
import { WireChecker } from './wire-checker.ts';

/** What is cut into fragments in these worlds, so that small frames will do. */
const FRAGMENTS = { lineBytes: 100, fragmentChars: 40 } as const;

export const toLines = (text: string): Line[] =>
  (text.length > FRAGMENTS.lineBytes ? splitLine(text, FRAGMENTS) : [text]).map((part) => ({
    text: part,
    size: part.length + 1,
  }));

/** Payloads are null, now and then long enough for fragments. */
export const payload = (random: Random): string =>
  random.chance(0.03) ? JSON.stringify('x'.repeat(random.int(40, 400))) : 'null';

/** What a party needs of the world that it is in. */
export interface PartyWorld {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly coverage: Coverage;
  readonly log: EventLog;
  readonly ledgers: LedgerChecker;
  readonly network: VirtualNetwork;
  readonly transports: readonly Transport[];
  readonly hasCredentials: boolean;
  readonly newId: () => string;
  /** Whether a node has the session. */
  has(sid: string): boolean;
}

export class Party {
  readonly name: string;
  readonly client: VirtualClient;
  readonly wire: WireChecker;
  readonly #world: PartyWorld;
  /** The incarnation that the client believes in. */
  #sid: string | null = null;
  /** *over*: closed, kicked or dead. */
  over = false;
  /** Which credentials it has. */
  token = 1;
  /** The credentials of the welcome adopted last. */
  acceptedToken = 0;
  losses = 0;

  constructor(world: PartyWorld, name: string) {
    this.#world = world;
    this.name = name;
    this.wire = new WireChecker(world.coverage);
    const { log, ledgers, coverage, time } = world;
    const session = new ClientSession({
      app: {
        subs: () => [],
        lost: () => {
          log.add(name, 'lost', this.#sid ?? '');
          if (this.#sid !== null) ledgers.lost(this.#sid);
          this.losses += 1;
          coverage.saw('loss');
        },
        attached: (subs) => {
          this.#sid = session.sid;
          this.acceptedToken = Number(String(this.wire.attach?.auth).split('.')[1]);
          this.wire.adopted(subs === null);
        },
        frame: (frame) => {
          if (frame[0] === 9) {
            // One who has become another has two sessions for a while, and each is sent everything.
            ledgers.volatile(Number(frame[3]), `${name} in ${session.sid}`);
            coverage.saw('volatile down');
          } else ledgers.life(session.sid ?? '').down.take(Number(frame[1]), name);
        },
        state: (state) => {
          log.add(name, 'state', state);
          if (state.status !== 'closed') return;
          check(this.over || state.code === 'kicked', 3, () => `${name} was closed: ${state.code} ${state.reason}`);
          if (state.code === 'kicked') coverage.saw('kicked');
          this.over = true;
        },
        attempt: () => {},
      },
      newId: world.newId,
      random: world.random.next,
      transports: world.transports,
      hasCredentials: world.hasCredentials,
    });
    this.client = new VirtualClient({
      network: world.network,
      session,
      credentials: () => `${name}.${this.token}`,
      watch: {
        effect: (effect) => {
          log.add(name, '>', effect);
          this.wire.effect(effect, time.now);
          if (effect.type === 'credentials' && effect.refresh) coverage.saw('refused credentials');
        },
        line: (carrier, text) => {
          log.add(name, `< ${carrier}`, text);
          this.wire.line(carrier, text, session.sid);
        },
      },
    });
    this.client.input((started, now) => started.start(now));
  }

  die(): void {
    this.over = true;
    this.client.die();
  }

  get sid(): string | null {
    return this.client.session.sid;
  }

  sendUp(id: number): void {
    this.client.input((session, now) => {
      const { sid } = session;
      if (sid === null || !session.ready) return;
      const { random, ledgers } = this.#world;
      const lines = toLines(`[18,${id},"c","m",${payload(random)}]`);
      if (lines.length > 1) this.#world.coverage.saw('fragments');
      // Told to the checker first: what is sent may be taken in the same turn.
      const { sent } = ledgers.life(sid).up;
      sent.push(id);
      if (!session.send(lines)) sent.pop();
      session.flush(now);
    });
  }

  sendLoose(id: number): void {
    this.client.input((session, now) => {
      session.sendLoose({ text: `[9,"c","e",${id}]`, size: 20 });
      session.flush(now);
    });
  }

  /** Whether everything sent in its incarnation has arrived at both ends, and nothing waits. */
  get settled(): boolean {
    const { session } = this.client;
    const { sid, ledger } = session;
    if (sid === null || !session.ready || session.transport === null) return false;
    if (!this.#world.has(sid)) return false;
    const { up, down } = this.#world.ledgers.life(sid);
    return up.complete && down.complete && ledger.acked === ledger.tx;
  }
}
