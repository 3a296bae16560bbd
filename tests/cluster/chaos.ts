/** Traffic on many channels over a cluster of processes in which something breaks all the time, and what became of each message. */
import type { Client } from '@runnel/client';
import { RunnelError, TRANSPORTS } from '@runnel/protocol';
import { redisBroker } from '@runnel/server/redis';
import { type NodeProcess, Processes } from './processes.ts';
import type { Contract } from './programs/contract.ts';

/** A node that dies, one that is shut down, and one that is cut off from the broker. */
export type Trouble = 'kill' | 'drain' | 'cut';

export interface ChaosOptions {
  readonly clients: number;
  /** Channels that each client follows. */
  readonly follows: number;
  /** What happens, one after the other, to one node after the other. */
  readonly troubles: readonly Trouble[];
  /** How long a node counts as alive that is not heard of, ms. Default: the broker's own. */
  readonly leaseMs?: number;
  /** From one trouble to the next, ms. */
  readonly everyMs: number;
  readonly log?: (line: string) => void;
}

/** Of `messages` accepted. What is not a time is to be 0. */
export interface ChaosReport {
  readonly messages: number;
  readonly deliveries: number;
  /** In the log and not at a client that followed its channel, or accepted and not in the log. */
  readonly lost: number;
  /** Twice at a client, or twice in the log. */
  readonly repeated: number;
  readonly disordered: number;
  readonly gaps: number;
  /** Publishes of clients that failed, but for those whose node could not reach the broker. */
  readonly failed: number;
  /** Those: they are in the log once or not at all. */
  readonly unknown: number;
  /** From a kill until those of its clients receive again that had to attach, ms, ascending. */
  readonly recoveryMs: readonly number[];
}

const NODES = 3;
const CHANNELS = 20;
const MESSAGES_PER_SECOND = 200;
const TICK_MS = 50;
const CUT_MS = 2_000;
/** How long clients may take to have everything after the last trouble, ms. */
const SETTLE_MS = 30_000;
const LOOK_MS = 50;

const channels = Array.from({ length: CHANNELS }, (_, i) => `c${i}`);
const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

interface Kill {
  readonly at: number;
  /** Attaches of each client until then; of those only that have yet to receive something that was sent since. */
  readonly waiting: Map<Participant, number>;
}

/** One client, what it follows, and what came. */
class Participant {
  readonly name: string;
  readonly client: Client<Contract>;
  readonly received = new Map<string, string[]>();
  gaps = 0;

  constructor(name: string, client: Client<Contract>) {
    this.name = name;
    this.client = client;
  }

  get attaches(): number {
    return this.client.diagnose().counts.attaches;
  }

  async follow(channel: string, heard: (sentAt: number) => void): Promise<void> {
    const texts: string[] = [];
    this.received.set(channel, texts);
    const feed = this.client.channel('feed/:id', { id: channel });
    feed.on('item', (text) => {
      texts.push(text);
      heard(Number(text.split(' ').at(-1)));
    });
    feed.onGap(() => {
      this.gaps += 1;
    });
    await feed.ready();
  }
}

export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const processes = await Processes.start(NODES, options.leaseMs);
  try {
    return await new Chaos(processes, options).run();
  } finally {
    await processes.stop();
  }
}

class Chaos {
  readonly #processes: Processes;
  readonly #options: ChaosOptions;
  readonly #participants: Participant[] = [];
  readonly #kills: Kill[] = [];
  readonly #recoveryMs: number[] = [];
  readonly #underWay = new Set<Promise<void>>();
  /** Texts that a client was told to be in the log, with their channels. */
  readonly #accepted: [channel: string, text: string][] = [];
  #failed = 0;
  #unknown = 0;
  #published = 0;

  constructor(processes: Processes, options: ChaosOptions) {
    this.#processes = processes;
    this.#options = options;
  }

  async run(): Promise<ChaosReport> {
    await this.#follow();
    const { nodes } = this.#processes;
    for (const node of nodes) this.#publishAt(node);
    let due = 0;
    const timer = setInterval(() => {
      for (due += (MESSAGES_PER_SECOND / 2 / 1_000) * TICK_MS; due >= 1; due -= 1) this.#publish();
    }, TICK_MS);
    try {
      await this.#trouble();
    } finally {
      clearInterval(timer);
    }
    for (const node of nodes) node.tell({ do: 'rest' });
    await Promise.all(nodes.map(({ news }) => news.find(({ is }) => is === 'resting')));
    await Promise.all(this.#underWay);
    return this.#report(await this.#logs());
  }

  async #follow(): Promise<void> {
    const { clients, follows } = this.#options;
    await Promise.all(
      Array.from({ length: clients }, async (_, i) => {
        const name = `client-${i}`;
        const transport = TRANSPORTS[i % TRANSPORTS.length] ?? 'websocket';
        const participant = new Participant(name, this.#processes.client(name, { transports: [transport] }));
        this.#participants.push(participant);
        for (let n = 0; n < follows; n += 1) {
          const channel = channels[(i * follows + n) % CHANNELS] as string;
          await participant.follow(channel, (sentAt) => this.#heard(participant, sentAt));
        }
      }),
    );
  }

  #publishAt(node: NodeProcess): void {
    node.tell({ do: 'publish', channels, perSecond: MESSAGES_PER_SECOND / 2 / NODES });
  }

  #publish(): void {
    this.#published += 1;
    const { client, name } = this.#participants[this.#published % this.#participants.length] as Participant;
    const channel = channels[(this.#published * 7) % CHANNELS] as string;
    const text = `${name} ${this.#published} ${Date.now()}`;
    const published = client
      .channel('feed/:id', { id: channel })
      .publish('item', text)
      .then(
        () => void this.#accepted.push([channel, text]),
        (error: unknown) => {
          if (error instanceof RunnelError && error.code === 'broker_failed') this.#unknown += 1;
          else {
            this.#failed += 1;
            this.#options.log?.(`a publish failed: ${error}`);
          }
        },
      )
      .finally(() => this.#underWay.delete(published));
    this.#underWay.add(published);
  }

  async #trouble(): Promise<void> {
    const { everyMs, log, troubles } = this.#options;
    for (const [n, trouble] of troubles.entries()) {
      const began = Date.now();
      const node = this.#processes.nodes[n % NODES] as NodeProcess;
      await this.#cause(trouble, node);
      log?.(`${trouble} of node ${n % NODES}: over after ${Date.now() - began} ms`);
      await pause(Math.max(0, began + everyMs - Date.now()));
    }
  }

  async #cause(trouble: Trouble, node: NodeProcess): Promise<void> {
    if (trouble === 'cut') {
      node.broker.sever();
      await pause(CUT_MS);
      node.broker.refusing = false;
      return;
    }
    if (trouble === 'kill') {
      this.#kills.push({ at: Date.now(), waiting: new Map(this.#participants.map((one) => [one, one.attaches])) });
    }
    await node.end(trouble === 'kill' ? 'SIGKILL' : 'SIGTERM');
    await node.start();
    this.#publishAt(node);
  }

  #heard(participant: Participant, sentAt: number): void {
    for (const { at, waiting } of this.#kills) {
      const attaches = waiting.get(participant);
      if (attaches === undefined || sentAt < at) continue;
      waiting.delete(participant);
      if (participant.attaches > attaches) this.#recoveryMs.push(Date.now() - at);
    }
  }

  async #logs(): Promise<Map<string, readonly string[]>> {
    const broker = redisBroker({ url: `redis://127.0.0.1:${this.#processes.redis.port}` });
    const logs = new Map<string, readonly string[]>();
    for (const channel of channels) {
      const { entries } = await broker.read(`feed/${channel}`, {});
      logs.set(
        channel,
        entries.map(({ data }) => JSON.parse(data) as string),
      );
    }
    await broker.close();
    return logs;
  }

  async #report(logs: ReadonlyMap<string, readonly string[]>): Promise<ChaosReport> {
    const has = (participant: Participant): boolean =>
      [...participant.received].every(([channel, texts]) => texts.length >= (logs.get(channel)?.length ?? 0));
    const until = Date.now() + SETTLE_MS;
    while (!this.#participants.every(has) && Date.now() < until) await pause(LOOK_MS);

    const sum = { deliveries: 0, lost: 0, repeated: 0, disordered: 0, gaps: 0 };
    const places = new Map<string, ReadonlyMap<string, number>>();
    for (const [channel, texts] of logs) {
      places.set(channel, new Map(texts.map((text, place) => [text, place])));
      const twice = texts.filter((text, place) => texts.indexOf(text) !== place);
      if (twice.length > 0) this.#options.log?.(`the log of ${channel} has twice: ${twice}`);
      sum.repeated += twice.length;
    }
    const told = this.#processes.nodes.flatMap(({ news }) =>
      news.items.flatMap((item) => (item.is === 'accepted' ? [[item.channel, item.text] as const] : [])),
    );
    for (const [channel, text] of [...this.#accepted, ...told]) if (!places.get(channel)?.has(text)) sum.lost += 1;
    for (const { gaps, name, received } of this.#participants) {
      sum.gaps += gaps;
      for (const [channel, texts] of received) {
        const different = new Set(texts);
        sum.deliveries += texts.length;

        const missing = [...(places.get(channel)?.keys() ?? [])].filter((text) => !different.has(text));
        if (missing.length > 0) this.#options.log?.(`${name} lacks ${missing.length} of ${channel}: ${missing[0]}`);
        sum.lost += missing.length;
        const twice = texts.filter((text, place) => texts.indexOf(text) !== place);
        if (twice.length > 0) this.#options.log?.(`${name} got twice of ${channel}: ${twice}`);
        sum.repeated += twice.length;
        const order = [...different].map((text) => places.get(channel)?.get(text) ?? Number.NaN);
        sum.disordered += order.filter((place, i) => i > 0 && !(place > (order[i - 1] as number))).length;
      }
    }
    const messages = [...logs.values()].reduce((total, texts) => total + texts.length, 0);
    return {
      messages,
      ...sum,
      failed: this.#failed,
      unknown: this.#unknown,
      recoveryMs: this.#recoveryMs.sort((a, b) => a - b),
    };
  }
}
