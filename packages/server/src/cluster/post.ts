/**
 * Questions and answers between nodes, over messages that come at most once. A question has one answer, or fails: *unreachable* where no node of that name is
 * alive, *silent* where one is and says nothing. A letter that is longer than one message travels in parts.
 */
import { nanoid } from 'nanoid';
import { type BrokerNode, type BrokerNodes, INBOX_BYTES_MAX } from '../brokers/nodes.ts';
import type { Timing } from '../timing.ts';

/** UTF-16 units of one message: none takes more than three bytes, quoted or not, and beside a part there is its number. */
const PART_LENGTH = Math.floor((INBOX_BYTES_MAX - 1_024) / 3);
/** Of a letter in parts. */
const LETTER_LENGTH_MAX = 67_108_864;

export class PostFailure extends Error {
  readonly kind: 'unreachable' | 'silent' | 'failed';

  constructor(kind: PostFailure['kind'], message: string) {
    super(message);
    this.kind = kind;
  }

  static is(error: unknown, kind: PostFailure['kind']): boolean {
    return error instanceof PostFailure && error.kind === kind;
  }
}

/** A question from another node. */
export interface Question {
  readonly from: string;
  readonly body: unknown;
  /** Aborted when the answer is not wanted any more. */
  readonly signal: AbortSignal;
}

export interface PostOptions {
  readonly node: string;
  readonly nodes: BrokerNodes;
  readonly clock: Timing;
  /** Answers a question; what it throws makes the question fail there. */
  readonly answer: (question: Question) => unknown;
  /** Takes what needs no answer. */
  readonly hear: (body: unknown, from: string) => void;
  /** Who is alive has changed. */
  readonly onNodes: (alive: ReadonlySet<string>) => void;
  readonly onError: (error: unknown) => void;
}

export interface AskOptions {
  readonly timeoutMs: number;
  /** Called with what calls the question off. */
  readonly onAsked?: (callOff: () => void) => void;
}

type Letter =
  | { readonly ask: number; readonly body: unknown }
  | { readonly answer: number; readonly body: unknown; readonly failed?: boolean }
  | { readonly callOff: number }
  | { readonly tell: unknown };

interface Waiting {
  readonly to: string;
  readonly resolve: (body: unknown) => void;
  readonly reject: (failure: PostFailure) => void;
}

/** The parts so far of a letter. */
interface Parts {
  readonly id: string;
  text: string;
  count: number;
}

export class Post {
  readonly #options: PostOptions;
  /** Questions of ours that wait for an answer. */
  readonly #asked = new Map<number, Waiting>();
  /** Questions of others that we have not answered, by node and number. */
  readonly #asking = new Map<string, AbortController>();
  /** By sender: a letter that has not come whole. */
  readonly #parts = new Map<string, Parts>();
  #lastId = 0;
  /** Null until this node has joined, and after `close`. */
  #own: BrokerNode | null = null;
  #alive: ReadonlySet<string> = new Set();
  /** Whether the broker is out of reach: then nothing is known of a node that is not known to be alive. */
  #isCutOff = false;
  #closed = false;

  constructor(options: PostOptions) {
    this.#options = options;
  }

  get own(): BrokerNode | null {
    return this.#own;
  }
  /** The nodes that are there, this one included. */
  get alive(): ReadonlySet<string> {
    return this.#alive;
  }

  /** Joins the other nodes. */
  async open(): Promise<void> {
    const { node, nodes, onError } = this.#options;
    const own = await nodes.join(node, {
      message: (text, from) => {
        try {
          this.#receive(text, from);
        } catch (error) {
          onError(error);
        }
      },
      nodes: (alive) => this.#see(new Set(alive)),
    });
    if (this.#closed) await own.close();
    else this.#own = own;
  }

  /** @throws PostFailure as rejection */
  async ask(to: string, body: unknown, { timeoutMs, onAsked }: AskOptions): Promise<unknown> {
    if (!this.#alive.has(to) && !(await this.#isThere(to)))
      throw new PostFailure(this.#isCutOff ? 'silent' : 'unreachable', `no node is called ${to}`);
    const id = ++this.#lastId;
    let cancelTimer: () => void = () => {};
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#asked.set(id, { to, resolve, reject });
      const silent = `node ${to} did not answer in ${timeoutMs} ms`;
      cancelTimer = this.#options.clock.after(timeoutMs, () => reject(new PostFailure('silent', silent)));
    });
    onAsked?.(() => {
      if (this.#asked.has(id)) this.#send(to, { callOff: id });
    });
    try {
      this.#send(to, { ask: id, body });
      return await answer;
    } finally {
      cancelTimer();
      this.#asked.delete(id);
    }
  }

  /** Whether another node is there, of which this one may not have heard yet. */
  async hasOthers(): Promise<boolean> {
    const { node, nodes } = this.#options;
    if (this.#alive.size > 1) return true;
    // A broker that cannot say would not bring a session anywhere either.
    const there = await nodes.list().catch(() => [node]);
    return there.some((name) => name !== node);
  }

  /** One that has just come is at the broker before it is known here. */
  async #isThere(node: string): Promise<boolean> {
    if (this.#isCutOff || this.#own === null) return false;
    try {
      return (await this.#options.nodes.list()).includes(node);
    } catch {
      throw new PostFailure('silent', `it cannot be said whether there is a node ${node}`);
    }
  }

  /** Whether the broker is out of reach. */
  setCutOff(isCutOff: boolean): void {
    this.#isCutOff = isCutOff;
  }

  /** Nobody hears whether it has arrived. */
  tell(to: string, body: unknown): void {
    this.#send(to, { tell: body });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const own = this.#own;
    this.#own = null;
    this.#see(new Set());
    for (const asking of this.#asking.values()) asking.abort();
    await own?.close();
  }

  #see(alive: ReadonlySet<string>): void {
    this.#alive = alive;
    for (const { to, reject } of this.#asked.values()) {
      if (!alive.has(to)) reject(new PostFailure('unreachable', `node ${to} is gone`));
    }
    for (const from of this.#parts.keys()) if (!alive.has(from)) this.#parts.delete(from);
    this.#options.onNodes(alive);
  }

  #send(to: string, letter: Letter): void {
    const text = JSON.stringify(letter);
    if (text.length <= PART_LENGTH) return this.#own?.send(to, text);
    const id = nanoid(8);
    const count = Math.ceil(text.length / PART_LENGTH);
    for (let n = 0; n < count; n += 1) {
      const part = { part: n, of: count, id, text: text.slice(n * PART_LENGTH, (n + 1) * PART_LENGTH) };
      this.#own?.send(to, JSON.stringify(part));
    }
  }

  #receive(message: string, from: string): void {
    const letter = JSON.parse(message) as Letter | { part: number; of: number; id: string; text: string };
    if (!('part' in letter)) return this.#read(letter, from);
    const { part, of, id, text } = letter;
    const parts = part === 0 ? { id, text: '', count: 0 } : this.#parts.get(from);
    // One that was lost on the way has taken its letter with it.
    if (parts?.id !== id || parts.count !== part || parts.text.length + text.length > LETTER_LENGTH_MAX) return;
    parts.text += text;
    parts.count += 1;
    if (parts.count < of) this.#parts.set(from, parts);
    else {
      this.#parts.delete(from);
      this.#read(JSON.parse(parts.text) as Letter, from);
    }
  }

  #read(letter: Letter, from: string): void {
    if ('tell' in letter) return this.#options.hear(letter.tell, from);
    if ('callOff' in letter) return this.#asking.get(`${from} ${letter.callOff}`)?.abort();
    if ('ask' in letter) return void this.#answer(letter, from);
    const waiting = this.#asked.get(letter.answer);
    if (letter.failed) waiting?.reject(new PostFailure('failed', `node ${from} failed: ${letter.body}`));
    else waiting?.resolve(letter.body);
  }

  async #answer({ ask, body }: Extract<Letter, { ask: number }>, from: string): Promise<void> {
    const { answer, onError } = this.#options;
    const name = `${from} ${ask}`;
    const unwanted = new AbortController();
    this.#asking.set(name, unwanted);
    try {
      const said = await answer({ from, body, signal: unwanted.signal });
      if (!unwanted.signal.aborted) this.#send(from, { answer: ask, body: said });
    } catch (error) {
      onError(error);
      this.#send(from, { answer: ask, body: String(error), failed: true });
    } finally {
      this.#asking.delete(name);
    }
  }
}
