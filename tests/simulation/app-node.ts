/** One life of the server's application: its handlers, what they have under way, and its connection to the broker. */
import { compileContract, type Identity, type Limits, type Position, type PresenceEntry } from '@runnel/protocol';
import type { Random, VirtualTime } from '@runnel/protocol/testing';
import { Application, type Broker, type PresenceAnnouncement } from '@runnel/server';
import { type Cells, contract } from './app-contract.ts';
import type { Coverage } from './coverage.ts';
import { NodeBroker } from './node-broker.ts';

/** What a schedule throws on purpose. */
export class Told extends Error {}

export interface AppNodeOptions {
  readonly broker: Broker;
  readonly limits: Limits;
  readonly time: VirtualTime;
  readonly random: Random;
  readonly coverage: Coverage;
  /** Whether handlers fail now and then. */
  readonly clumsy: boolean;
  readonly onAccepted: (channel: string, text: string, position: Position) => void;
  readonly onError: (error: unknown) => void;
  /** The handler of a request runs. */
  readonly onRun: (method: 'echo' | 'again' | 'count', text: string) => void;
  /** What the database has of a channel with a state. */
  readonly cellsOf: (channel: string) => Cells;
}

interface Input {
  readonly data: string;
  readonly channel: { readonly name: string; broadcast(event: string, data: string): Promise<unknown> };
  readonly session: { readonly client: string };
}

export class AppNode {
  readonly application: Application<Identity>;
  /** Streamed answers whose generators have begun and not ended: what was asked, and the public name of the session. */
  readonly streams = new Set<{ readonly text: string; readonly client: string }>();
  readonly #options: AppNodeOptions;
  readonly #broker: NodeBroker;

  constructor(options: AppNodeOptions) {
    this.#options = options;
    const { broker, limits, time, onAccepted, onError } = options;
    this.#broker = new NodeBroker(broker, (channel, { data }, position) =>
      onAccepted(channel, JSON.parse(data) as string, position),
    );
    this.application = new Application<Identity>({
      contract: compileContract(contract),
      broker: this.#broker,
      limits,
      clock: { now: () => time.now, after: (ms, run) => time.after(ms, run) },
      reauthenticate: (auth) => ({ id: String(auth) }),
      onError: (error) => {
        const told = error instanceof Told || (error as { cause?: unknown }).cause instanceof Told;
        if (!told) onError(error);
      },
    });
    this.#addHandlers();
  }

  /** It is killed: nothing of it is heard any more. */
  kill(): void {
    this.#broker.cut();
  }

  /** Somebody is present by way of another node, or no longer. */
  announce(channel: string, announcement: PresenceAnnouncement): void {
    this.#broker.announce(channel, announcement);
  }

  /** A message of the server's own. */
  broadcast(channel: string, event: string, text: string): Promise<Position | null> {
    return this.#channel(channel).broadcast(event, text);
  }

  members(channel: string): Promise<readonly PresenceEntry[]> {
    return this.#channel(channel).presence.members();
  }

  #channel(name: string): ReturnType<Application<Identity>['channel']> {
    const [kind, room = ''] = name.split('/');
    return this.application.channel(`${kind}/:room`, { room });
  }

  #addHandlers(): void {
    const { handlers } = this.application;
    const { random, onRun, cellsOf } = this.#options;
    handlers.add('room/:room', {
      open: true,
      publish: {
        message: async ({ data, channel }: Input) => {
          await this.#work();
          const accepted = channel.broadcast('message', data);
          // A publish is done when what it broadcast is accepted, whether its handler waits for that or not.
          if (random.chance(0.5)) await accepted;
        },
      },
      requests: {
        echo: ({ data }: Input) => this.#answer('echo', data),
        again: ({ data }: Input) => this.#answer('again', data),
        count: (input: Input) => {
          onRun('count', input.data);
          return this.#count(input);
        },
      },
    });
    for (const pattern of ['ticker/:room', 'quotes/:room', 'feed/:room']) handlers.add(pattern, { open: true });
    const snapshot = async ({ channel }: Input): Promise<Cells> => {
      // A state may be read at any time after it was asked for.
      if (random.chance(0.5)) await this.#work();
      const cells = cellsOf(channel.name);
      await this.#work();
      return cells;
    };
    for (const pattern of ['board/:room', 'panel/:room']) handlers.add(pattern, { open: true, snapshot });
  }

  async #answer(method: 'echo' | 'again', text: string): Promise<string> {
    this.#options.onRun(method, text);
    await this.#work();
    return text;
  }

  async *#count({ data: text, session: { client } }: Input): AsyncGenerator<string, string, undefined> {
    const stream = { text, client };
    this.streams.add(stream);
    try {
      for (let i = 0; i < Number(text.split('/')[1]); i += 1) {
        if (this.#options.random.chance(0.2)) await this.#work();
        yield `${text}#${i}`;
      }
      return text;
    } finally {
      this.streams.delete(stream);
    }
  }

  /** What a handler does before it answers. */
  #work(): Promise<void> {
    const { random, coverage, clumsy, time } = this.#options;
    const ms = random.pick([0, 0, 10, 400]) * random.next();
    const fails = clumsy && random.chance(0.05);
    if (fails) coverage.saw('handler failure');
    return new Promise((resolve, reject) => {
      time.after(ms, () => (fails ? reject(new Told('the handler failed')) : resolve()));
    });
  }
}
