/** Invariant 10 at the server's door: every HTTP request ends within its hold, and at once when it is superseded or comes too late. */
import { type Identity, type Line, Type, type UpFrame } from '@runnel/protocol';
import type { ServerEnd, Sink, VirtualServer, VirtualSocketEnd } from '@runnel/protocol/testing';
import type { Coverage } from './coverage.ts';
import { check, Violation } from './violation.ts';
import { typeOf } from './wire-checker.ts';

/** How long an answer may take beside its hold: the wait for subscriptions, and a margin. */
const GRACE_MS = 1_000;

interface Request {
  readonly at: number;
  readonly until: number;
  readonly header: UpFrame;
  ended: boolean;
  /** Of its session and generation; null where it is neither poll nor POST, or was of an old generation when it came. */
  readonly newest: Newest | null;
}

/** The highest number of its kind that has come. */
interface Newest {
  n: number;
}

export interface RequestCheckerOptions<L extends Line, I extends Identity> {
  readonly server: VirtualServer<L, I>;
  readonly now: () => number;
  readonly coverage: Coverage;
  /** The longest that `authenticate` takes, ms. */
  readonly authMs: number;
  readonly sidOf: (key: string) => string;
}

export class RequestChecker<L extends Line, I extends Identity> implements ServerEnd {
  readonly #options: RequestCheckerOptions<L, I>;
  /** Requests that wait for their answer. */
  readonly #open = new Set<Request>();
  /** Highest poll and POST number that has come, by session and generation. */
  readonly #newest = new Map<string, Newest>();

  constructor(options: RequestCheckerOptions<L, I>) {
    this.#options = options;
  }

  openSocket(sink: Sink): VirtualSocketEnd {
    return this.#options.server.openSocket(sink);
  }

  request(body: string, sink: Sink): () => void {
    const { server, now, authMs } = this.#options;
    const header = JSON.parse(body.slice(0, body.indexOf('\n'))) as UpFrame;
    const hold =
      header[0] === Type.poll ? header[1].hold : header[0] === Type.attach ? (header[1].hold ?? 0) + authMs : 0;
    const request: Request = {
      at: now(),
      until: now() + hold + GRACE_MS,
      header,
      ended: false,
      newest: this.#note(header),
    };
    const stays = header[0] === Type.probe || (header[0] === Type.attach && header[1].mode === 'stream');
    if (!stays) this.#open.add(request);
    const gone = server.request(body, {
      lines: (lines) => sink.lines(lines),
      end: () => {
        check(!request.ended || stays, 10, () => 'a request was answered twice');
        request.ended = true;
        this.#open.delete(request);
        sink.end();
      },
    });
    this.#checkSuperseded();
    return () => {
      this.#open.delete(request);
      gone();
    };
  }

  /** The highest poll number that has come in a generation; 0 before the first. */
  newestPoll(key: string, gen: number): number {
    return this.#newest.get(`poll ${key} ${gen}`)?.n ?? 0;
  }

  /** Everything is forgotten, and the connections are cut. */
  restart(): void {
    this.#open.clear();
  }

  check(now: number): void {
    for (const { at, until, header } of this.#open) {
      if (now > until) throw new Violation(10, `${JSON.stringify(header)} of ${at} is not answered at ${now}`);
    }
    this.#checkSuperseded();
  }

  #checkSuperseded(): void {
    const { server, sidOf } = this.#options;
    for (const { header, newest } of this.#open) {
      if (header[0] !== Type.poll || newest === null) continue;
      const { key, gen, n } = header[1];
      const session = server.registry.session(sidOf(key));
      if (session === undefined) throw new Violation(10, `poll ${n} waits, and its session is over`);
      if (session.gen !== gen) throw new Violation(10, `poll ${n} of gen ${gen} waits in gen ${session.gen}`);
      if (n !== newest.n) throw new Violation(10, `poll ${n} waits beside poll ${newest.n}`);
    }
  }

  /** Notes what the request says of itself. Returns which number is the newest of its kind. */
  #note(header: UpFrame): Newest | null {
    const { server, coverage, sidOf } = this.#options;
    if (header[0] === Type.attach) {
      const { key, gen } = header[1];
      const session = key === undefined ? undefined : server.registry.session(sidOf(key));
      if (session !== undefined && gen <= session.gen) coverage.saw(gen < session.gen ? 'old attach' : 'same attach');
      return null;
    }
    if (header[0] !== Type.poll && header[0] !== Type.post) return null;
    const { key, gen, n } = header[1];
    if (server.registry.session(sidOf(key))?.gen !== gen) return null;
    const kind = header[0] === Type.poll ? 'poll' : 'post';
    const name = `${kind} ${key} ${gen}`;
    const newest = this.#newest.get(name) ?? { n: 0 };
    this.#newest.set(name, newest);
    if (kind === 'post') {
      if (n <= newest.n) coverage.saw('old post');
    } else if (n < newest.n) coverage.saw('old poll');
    else if (n === newest.n) coverage.saw('same poll');
    newest.n = Math.max(newest.n, n);
    return newest;
  }
}

/** Whether a body's header is a goaway, fenced, reattach or retry: nothing of the request was applied. */
export const isRefusal = (line: string | undefined): boolean =>
  line !== undefined && [Type.goaway, Type.fenced, Type.reattach, Type.retry].some((type) => typeOf(line) === type);
