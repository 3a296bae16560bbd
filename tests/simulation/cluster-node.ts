/** One node of a simulated cluster: the shipped session registry, hand-overs and post behind a virtual edge, with numbered frames above. */
import type { Attach, DownFrame, Identity, ServerSession } from '@runnel/protocol';
import {
  type Forwardable,
  type Random,
  type Sink,
  type VirtualCluster,
  VirtualServer,
  type VirtualTime,
} from '@runnel/protocol/testing';
import {
  type EstateNews,
  HandOvers,
  type MessagesQuestion,
  Post,
  type SearchQuestion,
  type SharedLine,
  sharedLine,
  type TakeQuestion,
} from '@runnel/server';
import type { Coverage } from './coverage.ts';
import type { LedgerChecker } from './ledger-checker.ts';
import { check } from './violation.ts';
import type { VirtualPost } from './virtual-post.ts';

type Session = ServerSession<SharedLine, Identity>;

interface ServeQuestion {
  readonly ask: 'serve';
  readonly body: string;
}

type NodeQuestion = TakeQuestion | SearchQuestion | MessagesQuestion | ServeQuestion;

export interface ClusterNodeOptions {
  readonly name: string;
  readonly time: VirtualTime;
  readonly random: Random;
  readonly post: VirtualPost;
  readonly coverage: Coverage;
  readonly ledgers: () => LedgerChecker;
  readonly newId: () => string;
  readonly authMs: () => number;
  readonly ttlMs: number;
  /** Frames that were sent to a session at a node which had it before, and have not come to where it is; with their sessions. */
  readonly relays: Map<number, string>;
  readonly onError: (error: unknown) => void;
  readonly onEnded: (session: Session, code: string) => void;
  readonly onBorn: (session: Session) => void;
}

/** What a forwarded request may take beyond the time that it is held, ms. */
const PATIENCE_MS = 5_000;

export class ClusterNode implements VirtualCluster<Identity> {
  readonly node: string;
  readonly server: VirtualServer<SharedLine, Identity>;
  readonly handOvers: HandOvers<Identity>;
  readonly #post: Post;
  readonly #options: ClusterNodeOptions;
  /** Whether sessions are to leave it. */
  draining = false;
  dead = false;

  constructor(options: ClusterNodeOptions) {
    const { name, time, post, coverage, ledgers, onError } = options;
    this.#options = options;
    this.node = name;
    this.server = new VirtualServer<SharedLine, Identity>({
      time,
      newId: options.newId,
      authMs: options.authMs,
      line: sharedLine,
      limits: { ttlMs: options.ttlMs, fragmentChars: 50 },
      cluster: this,
      app: {
        created: (session, _subs, settled) => {
          options.onBorn(session);
          settled();
        },
        frame: (session, frame) => {
          if (frame[0] === 9) ledgers().volatile(Number(frame[3]), 'the server');
          else ledgers().life(session.sid).up.take(Number(frame[1]), name);
        },
        confirmed: () => {},
        resumed: () => {},
        reachable: (session, reachable) => {
          if (reachable) ledgers().carried(session.sid, time.now);
        },
        overflowed: (session) => ledgers().excuse(session.sid, 'overflow'),
        ended: (session, code) => options.onEnded(session, code),
      },
    });
    const clock = { now: () => time.now, after: (ms: number, run: () => void) => time.after(ms, run) };
    this.#post = new Post({
      ...{ node: name, nodes: post, clock, onError },
      answer: ({ body, from, signal }) => this.#answer(body as NodeQuestion, from, signal),
      hear: (news, from) => this.handOvers.hear(news as EstateNews, from),
      onNodes: () => {},
    });
    this.handOvers = new HandOvers<Identity>({
      ...{ node: name, post: this.#post, clock, onError, registry: this.server.registry },
      readKey: (key) => this.#readKey(key),
      turn: (run) => this.server.turn(() => run(time.now)),
      application: {
        handOver: (session, estateOptions) => {
          coverage.saw('hand-over');
          return {
            record: { subscriptions: [], calls: [], busy: [], presence: [] },
            estate: this.#estate(session, estateOptions.sendLines) as never,
          };
        },
        adopt: async () => {},
        relayed: (session, lines) => {
          coverage.saw('relayed');
          for (const text of lines) {
            const id = Number((JSON.parse(text) as unknown[])[1]);
            options.relays.delete(id);
            ledgers().life(session.sid).down.sent.push(id);
            session.enqueue(sharedLine(text));
          }
        },
        callFrame: () => {},
      },
    });
    void this.#post.open();
  }

  isGenuine(key: string): boolean {
    return /^[^.]+\.n\d+$/.test(key);
  }

  claim(attach: Attach, identity: Identity): Promise<DownFrame | null> {
    return this.handOvers.take(attach, identity);
  }

  forward({ key, node, body, holdMs }: Forwardable, sink: Sink, here: (gone: boolean) => void): () => void {
    const owner = key === undefined ? null : this.handOvers.ownerOf(key, { hint: node, forwarded: this.#serving });
    if (owner === null) {
      here(true);
      return () => {};
    }
    this.#options.coverage.saw('forwarded');
    let open = true;
    let callOff = (): void => {};
    const question: ServeQuestion = { ask: 'serve', body };
    void this.#post
      .ask(owner, question, {
        timeoutMs: holdMs + PATIENCE_MS,
        onAsked: (given) => {
          callOff = given;
        },
      })
      .then(
        (answer) => {
          if (!open || this.dead) return;
          if (answer === null) return here(true);
          sink.lines(answer as string[]);
          sink.end();
        },
        (failure: { kind?: string }) => {
          if (open && !this.dead) here(failure.kind === 'unreachable');
        },
      );
    return () => {
      open = false;
      callOff();
    };
  }

  /** Whether a request is being served that another node has forwarded. */
  #serving = false;

  #answer(question: NodeQuestion, from: string, signal: AbortSignal): unknown {
    if (this.dead) return new Promise(() => {});
    if (question.ask === 'take') return this.#give(question, from);
    if (question.ask === 'search') return this.#whereabouts(question);
    if (question.ask === 'messages') return null;
    if (this.draining) return null;
    return new Promise<readonly string[]>((resolve) => {
      const answer: string[] = [];
      this.#serving = true;
      const gone = this.server.request(question.body, {
        lines: (lines) => void answer.push(...lines),
        end: () => resolve(answer),
      });
      this.#serving = false;
      signal.addEventListener('abort', () => {
        gone();
        resolve([]);
      });
    });
  }

  /** Invariant 5: a session leaves only for an attach that is later than the one it has. */
  async #give(question: TakeQuestion, from: string): Promise<unknown> {
    const { gen, sid } = question;
    const answer = await this.handOvers.give(question, from);
    try {
      if ('session' in answer)
        check(gen > answer.session.gen, 5, () => `${sid} of ${answer.session.gen} was given to an attach of ${gen}`);
    } catch (violation) {
      this.#options.onError(violation);
    }
    return answer;
  }

  #whereabouts(question: SearchQuestion): unknown {
    const answer = this.handOvers.whereabouts(question);
    if (answer.length > 0) this.#options.coverage.saw('found by search');
    return answer;
  }

  setCutOff(isCutOff: boolean): void {
    this.#post.setCutOff(isCutOff);
  }

  /** It is killed. */
  kill(): void {
    this.dead = true;
    this.#options.post.kill(this.node);
  }

  /** It is closed: everybody is let go of, and whoever comes back elsewhere is handed over. */
  drain(): void {
    this.draining = true;
    this.server.turn(() => this.server.registry.letGo(500, this.#options.time.now));
  }

  /** What runs on here for a session that has gone: it says something in a while. */
  #estate(session: Session, sendLines: (lines: readonly string[], open: readonly number[]) => void) {
    const { random, time } = this.#options;
    const texts: string[] = [];
    const estate = {
      relay: ({ text }: SharedLine): void => {
        if (texts.push(text) > 1) return;
        queueMicrotask(() => sendLines(texts.splice(0), []));
      },
      end: () => session.endRelay(),
      handleArrived: () => {},
      messages: async () => null,
      of: null,
    };
    for (let i = random.int(0, 2); i > 0; i -= 1) {
      time.after(random.int(0, 3_000), () => {
        if (this.dead) return;
        const id = 1_000_000 + Number(this.#options.newId().slice(2));
        this.#options.relays.set(id, session.sid);
        session.enqueue(sharedLine(`[19,${id},null]`));
      });
    }
    return estate;
  }

  #readKey(key: string): { sid: string; node: string; genuine: boolean } | null {
    const [sid, node] = key.split('.');
    return sid === undefined || node === undefined ? null : { sid, node, genuine: this.isGenuine(key) };
  }
}
