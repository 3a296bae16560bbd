/** What clients and servers of a world with the shipped application in it do of their own accord. */
import type { Position } from '@runnel/protocol';
import type { Random } from '@runnel/protocol/testing';
import { type Cells, CHANNELS, type ChannelName, hasState, isLossy } from './app-contract.ts';
import type { AppParty } from './app-party.ts';
import { Board } from './board.ts';

const SYMBOLS = ['a', 'b', 'c'] as const;
const CELLS = ['x', 'y', 'z'] as const;

export interface AppTrafficOptions {
  readonly random: Random;
  readonly newId: () => string;
  readonly living: () => readonly AppParty[];
  /** Has a server broadcast; rejects where that fails. */
  readonly broadcast: (channel: string, event: string, text: string) => Promise<Position | null>;
}

export class AppTraffic {
  /** What the database has of the channels with a state. It outlives the servers. */
  readonly boards: ReadonlyMap<string, Board> = new Map(CHANNELS.filter(hasState).map((name) => [name, new Board()]));
  readonly #options: AppTrafficOptions;

  constructor(options: AppTrafficOptions) {
    this.#options = options;
  }

  /** What the database has of a channel with a state. */
  readonly cellsOf = (channel: string): Cells => this.boards.get(channel)?.cells ?? {};

  /** A client begins. */
  start(party: AppParty): AppParty {
    for (const channel of CHANNELS) if (this.#options.random.chance(0.6)) party.toggle(channel);
    return party;
  }

  act(count: number): void {
    const { random, living } = this.#options;
    for (let i = 0; i < count && living().length > 0; i += 1) {
      const party = random.pick(living());
      const kind = random.next();
      if (kind < 0.45) party.publish(random.pick(['room/a', 'room/b', 'ticker/a']));
      else if (kind < 0.6) party.request(random.pick(['echo', 'echo', 'again']));
      else if (kind < 0.68) party.stream();
      else if (kind < 0.85) this.say(random.pick(CHANNELS), random.int(1, 6));
      else if (kind < 0.88) party.whisper('ticker/a');
      else if (kind < 0.94) party.appear(random.pick(['room/a', 'room/b']));
      else party.toggle(random.pick(CHANNELS));
    }
  }

  /** A server says something by itself. */
  say(channel: ChannelName, count = 1): void {
    const { random, newId } = this.#options;
    for (let i = 0; i < count; i += 1) {
      if (hasState(channel)) this.#set(channel, random.pick(CELLS));
      else if (channel !== 'quotes/a') this.#broadcast(channel, 'message', `server.${newId()}`);
      else if (random.chance(0.2)) this.#broadcast(channel, 'note', `server.${newId()}`);
      else this.#broadcast(channel, 'quote', `${random.pick(SYMBOLS)}:server.${newId()}`);
    }
  }

  /** One more message in each channel: a message that was lost shows by the one after it. */
  sayInAll(): void {
    for (const channel of CHANNELS) this.say(channel);
  }

  /** More than slow subscribers are sent, in the channels that bear it. */
  sayMuch(): void {
    for (const channel of CHANNELS) if (isLossy(channel)) this.say(channel, 12);
  }

  /** What the broker has not accepted, as far as anybody knows, is said once more. */
  sayUnsaid(): void {
    for (const [channel, { unsaid }] of this.boards) for (const cell of unsaid) this.#set(channel, cell);
  }

  #broadcast(channel: string, event: string, text: string): Promise<Position | null> {
    // What fails is told to the application, and here.
    return this.#options.broadcast(channel, event, text).catch(() => null);
  }

  /** Writes a cell into the database, and says so. */
  #set(channel: string, cell: string): void {
    const written = this.boards.get(channel)?.write(cell);
    if (written === undefined) return;
    void this.#broadcast(channel, 'set', written.text).then((position) => {
      if (position !== null) written.accepted();
    });
  }
}
