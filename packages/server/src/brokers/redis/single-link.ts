import { createClient } from '@redis/client';
import { evaluate, type RedisLink, type RedisLinkOptions } from './link.ts';
import { SCRIPTS, type Script } from './script.ts';

/** Topics in one SSUBSCRIBE. */
const TOPICS_PER_COMMAND = 500;

/** One server: a connection for commands, and one on which messages come. */
export class SingleLink implements RedisLink {
  readonly #options: RedisLinkOptions;
  readonly #commands: ReturnType<typeof createClient>;
  readonly #feed: ReturnType<typeof createClient>;

  constructor(options: RedisLinkOptions) {
    this.#options = options;
    this.#commands = this.#client();
    this.#feed = this.#client();
  }

  async open(): Promise<void> {
    await Promise.all([this.#commands.connect(), this.#feed.connect()]);
    // So that no publish is overtaken by a later one while the server learns the script.
    await Promise.all(SCRIPTS.map(({ text }) => this.#commands.scriptLoad(text)));
  }

  ping(): Promise<unknown> {
    return Promise.all([this.#commands.ping(), this.#feed.ping()]);
  }

  async run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    try {
      return await evaluate(this.#commands, script, keys, args);
    } catch (error) {
      // Another server has taken over: by the time of another link its address may lead there.
      if (error instanceof Error && /^(?:READONLY|LOADING|MASTERDOWN)\b/.test(error.message))
        this.#options.onBroken(error);
      throw error;
    }
  }

  async subscribe(topics: readonly string[]): Promise<void> {
    const commands: Promise<void>[] = [];
    for (let from = 0; from < topics.length; from += TOPICS_PER_COMMAND) {
      commands.push(this.#feed.sSubscribe(topics.slice(from, from + TOPICS_PER_COMMAND), this.#hear));
    }
    await Promise.all(commands);
  }

  unsubscribe(topic: string): void {
    // It fails only with the connection, and the next one does not have the topic.
    this.#feed.sUnsubscribe(topic, this.#hear).catch(() => {});
  }

  close(): void {
    for (const client of [this.#commands, this.#feed]) {
      client.removeAllListeners('end');
      client.destroy();
    }
  }

  readonly #hear = (text: string, topic: string): void => this.#options.onMessage(topic, text);

  #client(): ReturnType<typeof createClient> {
    const { urls, connection, timeoutMs, onBroken } = this.#options;
    const client = createClient({
      ...connection,
      url: urls[0] as string,
      disableOfflineQueue: true,
      // A connection that is lost is the end of the link: the broker opens another.
      socket: { ...connection.socket, connectTimeout: timeoutMs, reconnectStrategy: false },
    }) as ReturnType<typeof createClient>;
    client.on('error', onBroken);
    return client;
  }
}
