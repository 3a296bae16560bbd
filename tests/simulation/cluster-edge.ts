/** What makes a simulated server one node of several: the shipped hand-overs and post behind a virtual edge. What stands above the sessions is for others. */
import type { Attach, DownFrame, Identity, Limits, ServerApp } from '@runnel/protocol';
import {
  type Forwardable,
  type Sink,
  type VirtualCluster,
  VirtualServer,
  type VirtualTime,
} from '@runnel/protocol/testing';
import {
  type EstateNews,
  type HandOverQuestion,
  HandOvers,
  type HandOversOptions,
  Post,
  type SharedLine,
  sharedLine,
  type TakeAnswer,
} from '@runnel/server';
import type { Coverage } from './coverage.ts';
import { check } from './violation.ts';
import type { VirtualPost } from './virtual-post.ts';

interface ServeQuestion {
  readonly ask: 'serve';
  readonly body: string;
}

type NodeQuestion = HandOverQuestion | ServeQuestion;

export interface ClusterEdgeOptions {
  readonly name: string;
  readonly time: VirtualTime;
  readonly post: VirtualPost;
  readonly coverage: Coverage;
  readonly newId: () => string;
  readonly authMs: () => number;
  /** Who an attach's `auth` is. Default: everybody is the same. */
  readonly authenticate?: (auth: unknown) => Identity;
  readonly limits: Partial<Limits>;
  readonly app: ServerApp<SharedLine, Identity>;
  readonly keeper: HandOversOptions<Identity>['application'];
  /** Answers what is asked of none of these. */
  readonly answer?: (question: never) => unknown;
  readonly onNodes?: (alive: ReadonlySet<string>) => void;
  readonly onError: (error: unknown) => void;
}

/** What a forwarded request may take beyond the time that it is held, ms. */
const PATIENCE_MS = 5_000;

export class ClusterEdge implements VirtualCluster<Identity> {
  readonly node: string;
  readonly server: VirtualServer<SharedLine, Identity>;
  readonly handOvers: HandOvers<Identity>;
  readonly post: Post;
  readonly #options: ClusterEdgeOptions;
  /** Whether sessions are to leave it. */
  draining = false;
  dead = false;

  constructor(options: ClusterEdgeOptions) {
    const { name: node, time, post: nodes, newId, authMs, authenticate, limits, app, onError } = options;
    this.#options = options;
    this.node = node;
    this.server = new VirtualServer<SharedLine, Identity>({
      ...{ time, newId, authMs, limits, app, line: sharedLine, cluster: this },
      ...(authenticate === undefined ? {} : { authenticate }),
    });
    const clock = { now: () => time.now, after: (ms: number, run: () => void) => time.after(ms, run) };
    this.post = new Post({
      ...{ node, nodes, clock, onError },
      answer: ({ body, from, signal }) => this.#answer(body as NodeQuestion, from, signal),
      hear: (news, from) => {
        if (!this.dead) this.handOvers.hear(news as EstateNews, from);
      },
      onNodes: (alive) => {
        if (!this.dead) options.onNodes?.(alive);
      },
    });
    this.handOvers = new HandOvers<Identity>({
      ...{ node, post: this.post, clock, onError, registry: this.server.registry, application: options.keeper },
      readKey: (key) => this.#readKey(key),
      turn: (run) => this.server.turn(() => run(time.now)),
    });
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
    void this.post
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
    switch (question.ask) {
      case 'take':
      case 'search':
      case 'messages':
      case 'free':
        return this.#handOver(question, from);
      case 'serve':
        return this.draining ? null : this.#serve(question, signal);
      default:
        return this.#options.answer?.(question);
    }
  }

  #serve({ body }: ServeQuestion, signal: AbortSignal): Promise<readonly string[]> {
    return new Promise<readonly string[]>((resolve) => {
      const answer: string[] = [];
      this.#serving = true;
      const gone = this.server.request(body, {
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

  async #handOver(question: HandOverQuestion, from: string): Promise<unknown> {
    const answer = await this.handOvers.answer(question, from);
    if (question.ask === 'take') this.#checkGiven(question, answer as TakeAnswer);
    else if (question.ask === 'search' && (answer as readonly unknown[]).length > 0)
      this.#options.coverage.saw('found by search');
    return answer;
  }

  /** Invariant 5: a session leaves only for an attach that is later than the one it has. */
  #checkGiven({ gen, sid }: { readonly gen: number; readonly sid: string }, answer: TakeAnswer): void {
    try {
      if ('session' in answer)
        check(gen > answer.session.gen, 5, () => `${sid} of ${answer.session.gen} was given to an attach of ${gen}`);
    } catch (violation) {
      this.#options.onError(violation);
    }
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

  /** It is gone, as everybody knows. */
  leave(): void {
    this.dead = true;
    this.#options.post.bury(this.node);
  }

  #readKey(key: string): { sid: string; node: string; genuine: boolean } | null {
    const [sid, node] = key.split('.');
    return sid === undefined || node === undefined ? null : { sid, node, genuine: this.isGenuine(key) };
  }
}
