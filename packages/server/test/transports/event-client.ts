/** Event streams as `curl` sees them: each block by itself, with all of its fields. */
import { onTestFinished } from 'vitest';
import { Arrivals } from './clients.ts';

/** The fields of a block by name; a comment has the name ''. */
export type Block = Readonly<Record<string, string>>;

export class EventBody {
  readonly status: number;
  readonly headers: Headers;
  readonly #blocks = new Arrivals<Block>();
  readonly #abort: AbortController;
  /** Resolves when nothing more comes: to true where the body has come to its end, to false where it was cut. */
  readonly ended: Promise<boolean>;

  private constructor(response: Response, abort: AbortController) {
    this.status = response.status;
    this.headers = response.headers;
    this.#abort = abort;
    this.ended = this.#read(response);
  }

  static async open(url: string | URL, init: RequestInit = {}): Promise<EventBody> {
    const abort = new AbortController();
    const body = new EventBody(await fetch(url, { signal: abort.signal, ...init }), abort);
    onTestFinished(() => body.abort());
    return body;
  }

  /** Of an answer that somebody else got. */
  static of(response: Response): EventBody {
    return new EventBody(response, new AbortController());
  }

  /** The next block, whatever it is; null when there will be none. */
  next(): Promise<Block | null> {
    return this.#blocks.next();
  }

  /** The next events of these names, as name and data; others are passed over. */
  async events(count: number, ...names: string[]): Promise<[event: string, data: unknown][]> {
    const events: [string, unknown][] = [];
    while (events.length < count) {
      const block = await this.next();
      if (block === null) throw new Error(`ended after ${JSON.stringify(events)}`);
      const { event = 'message', data } = block;
      if (data === undefined || (names.length > 0 && !names.includes(event))) continue;
      events.push([event, JSON.parse(data)]);
    }
    return events;
  }

  abort(): void {
    this.#abort.abort();
  }

  async #read(response: Response): Promise<boolean> {
    let rest = '';
    try {
      for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        const blocks = (rest + chunk).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) this.#blocks.push(fieldsOf(block));
      }
      // What was cut short is no block.
      return rest === '';
    } catch {
      return false;
    } finally {
      this.#blocks.end();
    }
  }
}

function fieldsOf(block: string): Block {
  return Object.fromEntries(
    block.split('\n').map((line) => {
      const at = line.indexOf(':');
      return [line.slice(0, at), line.slice(at + 1).replace(/^ /, '')];
    }),
  );
}

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly error: { readonly code: string; readonly message: string };
}

/** A request for events that must be refused. */
export async function refusedEvents(url: string | URL, init: RequestInit = {}): Promise<ErrorAnswer> {
  const { status, headers, ...response } = await fetch(url, init).then(async (answer) => ({
    status: answer.status,
    headers: answer.headers,
    text: await answer.text(),
  }));
  return { status, headers, error: JSON.parse(response.text) };
}
