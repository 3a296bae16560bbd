import { createCluster } from '@redis/client';
import { evaluate, type RedisLink, type RedisLinkOptions } from './link.ts';
import type { Script } from './script.ts';

/** A cluster: the client keeps a connection for commands and one for messages with each shard, and follows slots that move. */
export class ClusterLink implements RedisLink {
  readonly #options: RedisLinkOptions;
  readonly #cluster: ReturnType<typeof createCluster>;
  /** Whether a connection was lost since one was made last. */
  #troubled = false;

  constructor(options: RedisLinkOptions) {
    this.#options = options;
    const { urls, connection, timeoutMs, onMended } = options;
    const { database: _, socket, ...rest } = connection;
    this.#cluster = createCluster({
      rootNodes: urls.map((url) => ({ url })),
      defaults: {
        ...rest,
        disableOfflineQueue: true,
        socket: { ...socket, connectTimeout: timeoutMs },
      },
    });
    this.#cluster.on('error', ignored);
    this.#cluster.on('node-error', () => {
      this.#troubled = true;
    });
    this.#cluster.on('node-ready', () => {
      if (!this.#troubled) return;
      this.#troubled = false;
      onMended();
    });
  }

  async open(): Promise<void> {
    await this.#cluster.connect();
  }

  ping(): Promise<unknown> {
    return Promise.all(this.#cluster.masters.map(async (master) => (await this.#cluster.nodeClient(master)).ping()));
  }

  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return evaluate(this.#cluster, script, keys, args);
  }

  async subscribe(topics: readonly string[]): Promise<void> {
    await Promise.all(topics.map((topic) => this.#cluster.sSubscribe(topic, this.#hear)));
  }

  unsubscribe(topic: string): void {
    // What is left behind where this fails comes to nothing: nobody listens.
    this.#cluster.sUnsubscribe(topic, this.#hear).catch(ignored);
  }

  close(): void {
    this.#cluster.destroy();
  }

  readonly #hear = (text: string, topic: string): void => this.#options.onMessage(topic, text);
}

/** Calls say by themselves what fails, and the client goes on trying. */
const ignored = (): void => {};
