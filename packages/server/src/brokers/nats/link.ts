import {
  type ConnectionOptions,
  connect,
  createInbox,
  headers,
  type Msg,
  type NatsConnection,
  RequestError,
  type Subscription,
} from '@nats-io/transport-node';
import { RunnelError } from '@runnel/protocol';
import type { Link, LinkEvents } from '../link-keeper.ts';

/** What may be said about the connection; what the broker decides itself is left out. */
export type NatsConnectionOptions = Pick<
  ConnectionOptions,
  'authenticator' | 'inboxPrefix' | 'name' | 'pass' | 'tls' | 'token' | 'user'
>;

export interface NatsLinkOptions extends LinkEvents {
  readonly servers: readonly string[];
  readonly connection: NatsConnectionOptions;
  readonly timeoutMs: number;
  readonly onMessage: (topic: string, message: Msg) => void;
}

/** A request that nobody answers, because there is no such stream or consumer; `code` is JetStream's. */
export class JetStreamError extends Error {
  readonly code: number;
  constructor(code: number, description: string) {
    super(`JetStream: ${description} (${code})`);
    this.code = code;
  }
}

export const JETSTREAM_CODES = {
  noResponders: 503,
  streamNotFound: 10_059,
  nameInUse: 10_058,
  wrongLast: 10_071,
} as const;

/** Room for the headers and the subject of a message. */
const OVERHEAD_BYTES = 4_096;

/** How often it is looked whether anybody gets a message, ms: what the server is asked that nobody answers is kept for a while. */
const LOOK_EVERY_MS = 20;
/** How long the server may take to say that nobody has subscribed, ms. */
const UNHEARD_MS = 1_000;

/** One connection. JetStream is asked in JSON, by the subjects of its API. */
export class NatsLink implements Link {
  readonly #options: NatsLinkOptions;
  readonly #subscriptions = new Map<string, Subscription>();
  #connection: NatsConnection | null = null;
  /** When a message is next sent so that the server says if nobody gets it. */
  #lookAt = 0;
  #closed = false;

  constructor(options: NatsLinkOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const { servers, connection, timeoutMs, onBroken } = this.#options;
    // A connection that is lost is the end of the link: the broker opens another.
    const opened = await connect({ ...connection, servers: [...servers], timeout: timeoutMs, reconnect: false });
    this.#connection = opened;
    if (this.#closed) return this.close();
    void opened.closed().then((error) => onBroken(error ?? new Error('the connection was closed')));
  }

  async ping(): Promise<void> {
    await this.#open().flush();
  }

  async subscribe(topics: readonly string[]): Promise<void> {
    const connection = this.#open();
    for (const topic of topics) {
      if (this.#subscriptions.has(topic)) continue;
      const callback = (error: Error | null, message: Msg): void => {
        if (error === null) this.#options.onMessage(topic, message);
      };
      this.#subscriptions.set(topic, connection.subscribe(topic, { callback }));
    }
    await connection.flush();
  }

  unsubscribe(topic: string): void {
    this.#subscriptions.get(topic)?.unsubscribe();
    this.#subscriptions.delete(topic);
  }

  close(): void {
    this.#closed = true;
    // It does not fail in any way that matters.
    this.#connection?.close().catch(() => {});
  }

  /** Without an answer. `unheard`: called where nobody has subscribed; looked for now and then. @throws RunnelError `payload_too_large` */
  tell(subject: string, text: string, unheard?: () => void): void {
    this.#checkSize(text);
    if (unheard === undefined || performance.now() < this.#lookAt) return void this.#open().publish(subject, text);
    this.#lookAt = performance.now() + LOOK_EVERY_MS;
    void this.#isHeard(subject, text).then((heard) => {
      if (!heard) unheard();
    });
  }

  /** Whether somebody has subscribed, who is sent an empty message. */
  isHeard(subject: string): Promise<boolean> {
    return this.#isHeard(subject, '');
  }

  /** The server answers at once where nobody has; subscribers do not answer. */
  async #isHeard(subject: string, text: string): Promise<boolean> {
    try {
      await this.#open().request(subject, text, { timeout: UNHEARD_MS });
      return true;
    } catch (error) {
      return !(error instanceof RequestError && error.isNoResponders());
    }
  }

  /** Publishes to a stream; resolves with the sequence number. @throws JetStreamError */
  async publish(subject: string, text: string, headerFields: Readonly<Record<string, string>> = {}): Promise<number> {
    this.#checkSize(text);
    const fields = headers();
    for (const [name, value] of Object.entries(headerFields)) fields.set(name, value);
    const { seq } = await this.#request<{ readonly seq: number }>(subject, text, fields);
    return seq;
  }

  /** Calls JetStream's API. @throws JetStreamError */
  api<T>(subject: string, request: object = {}): Promise<T> {
    return this.#request<T>(`$JS.API.${subject}`, JSON.stringify(request));
  }

  /** One message of a stream; null where there is none. */
  async get(stream: string, query: object): Promise<Msg | null> {
    const answer = await this.#ask(`$JS.API.DIRECT.GET.${stream}`, JSON.stringify(query));
    return answer.headers?.hasError ? null : answer;
  }

  /** The next messages of a consumer, of which so many are waiting. It may be fewer. It never settles where the link breaks meanwhile. */
  next(stream: string, consumer: string, count: number): Promise<readonly Msg[]> {
    const connection = this.#open();
    return new Promise((resolve, reject) => {
      const messages: Msg[] = [];
      const inbox = createInbox(this.#options.connection.inboxPrefix);
      const subscription = connection.subscribe(inbox, {
        max: count,
        callback: (error, message) => {
          if (error !== null) return reject(error);
          // What has a status is about the request: there are no more.
          const isOver = message.headers !== undefined && message.headers.code > 0;
          if (!isOver) messages.push(message);
          if (!isOver && messages.length < count) return;
          subscription.unsubscribe();
          resolve(messages);
        },
      });
      const request = JSON.stringify({ batch: count, no_wait: true });
      connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, request, { reply: inbox });
    });
  }

  async #request<T>(subject: string, text: string, fields = headers()): Promise<T> {
    const answer = (await this.#ask(subject, text, fields)).json<T & { readonly error?: ApiError }>();
    const { error } = answer;
    if (error !== undefined) throw new JetStreamError(error.err_code ?? error.code, error.description ?? 'failed');
    return answer;
  }

  async #ask(subject: string, text: string, fields = headers()): Promise<Msg> {
    try {
      return await this.#open().request(subject, text, { timeout: this.#options.timeoutMs, headers: fields });
    } catch (error) {
      if (error instanceof RequestError && error.isNoResponders()) {
        throw new JetStreamError(JETSTREAM_CODES.noResponders, `nobody answers ${subject}: is JetStream on?`);
      }
      throw error;
    }
  }

  #checkSize(text: string): void {
    const bytesMax = (this.#open().info?.max_payload ?? Number.POSITIVE_INFINITY) - OVERHEAD_BYTES;
    if (text.length * 3 <= bytesMax || Buffer.byteLength(text) <= bytesMax) return;
    throw new RunnelError('payload_too_large', `the NATS server takes ${bytesMax} bytes: see its max_payload`);
  }

  #open(): NatsConnection {
    if (this.#connection === null || this.#closed) throw new Error('the connection is not open');
    return this.#connection;
  }
}

interface ApiError {
  readonly code: number;
  readonly err_code?: number;
  readonly description?: string;
}
