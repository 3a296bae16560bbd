/** How a world with the shipped application in it heals: every call is settled, every subscriber knows all there is to know, and nothing is left over. */
import type { Identity, Position, PresenceEntry } from '@runnel/protocol';
import type { Broker, SharedLine } from '@runnel/server';
import { CHANNELS, hasPresence } from './app-contract.ts';
import type { AppParty } from './app-party.ts';
import type { AppTraffic } from './app-traffic.ts';
import { healNetwork, type Stage } from './faults.ts';
import type { Parties } from './parties.ts';
import type { UnsureBroker } from './unsure-broker.ts';
import { check } from './violation.ts';
import type { Run } from './world-run.ts';

/** What a node keeps for sessions that went elsewhere is kept for a minute; those may go on moving. */
const LEFT_MS = 200_000;

export interface HealingWorld extends Stage<SharedLine, Identity> {
  readonly parties: Parties<AppParty>;
  readonly traffic: AppTraffic;
  readonly brokers: UnsureBroker;
  readonly broker: Pick<Broker, 'heads'>;
  /** Streamed answers that have begun and not ended: what was asked, and the public name of the session. */
  readonly streams: Iterable<{ readonly text: string; readonly client: string }>;
  /** What nodes keep for sessions that are elsewhere, and sessions whose clients have others. */
  readonly leftovers: number;
  /** Whether there is a session of that public name. */
  hasSession(client: string): boolean;
  members(channel: string): Promise<readonly PresenceEntry[]>;
  /** Broker and nodes fare well, and everybody reads on. */
  heal(): void;
}

/** Calls may wait for this long at most, and for a connection before. */
const SETTLE_MS = 120_000;
/** A subscription that was refused tries again after ten seconds at most; the log is read page by page. */
const CATCH_UP_MS = 120_000;

/** Invariants 7, 8, 11 and 13: when all heals, every call is settled, every subscriber knows all there is to know, and nothing is left over. */
export async function healApp(world: HealingWorld, run: Run): Promise<void> {
  if (world.parties.living.length === 0) world.parties.join();
  world.heal();
  healNetwork(world);
  const open = (): number => world.parties.living.reduce((sum, party) => sum + party.open, 0);
  const connected = (): boolean =>
    world.parties.living.every(({ client }) => client.session.ready && client.session.transport !== null);
  const settled = await run(SETTLE_MS, () => connected() && open() === 0);
  check(settled, 8, () => `${open()} calls are not settled ${SETTLE_MS} ms after healing`);
  // What was published before it healed is accepted or has failed by now.
  await run(5_000);
  world.traffic.sayUnsaid();
  world.traffic.sayInAll();
  await catchUp(world, run);
  // With nothing else amiss, all that may be missing is what is dropped on purpose.
  const { counts } = world.coverage;
  const lost = counts.get('position lost');
  crowd(world);
  for (const party of world.parties.living) party.appear('room/a');
  await catchUp(world, run);
  check(counts.get('position lost') === lost, 7, () => 'a position was lost, and all went well');
  const present = await run(CATCH_UP_MS, () =>
    world.parties.living.every(({ attendees }) => [...attendees.values()].every((attendee) => attendee.settled)),
  );
  check(present, 8, () => 'somebody cannot enter or leave');
  await run(5_000);
  checkViews(world);
  const tidy = await run(LEFT_MS, () => world.leftovers === 0);
  check(tidy, 13, () => `${world.leftovers} estates, questions and sessions are left`);
  checkStreams(world);
  // A dead client is found out in its own time: news of that may be on the way.
  for (let difference = await strangers(world), tries = 1; difference !== ''; tries += 1) {
    check(tries < 3, 7, () => difference);
    await run(5_000);
    difference = await strangers(world);
  }
}

/** More than slow subscribers are sent, in the channels that bear it. The broker brings it in order: without a log, disorder is loss. */
function crowd({ brokers, server, time, random, traffic }: HealingWorld): void {
  brokers.slowMs = 0;
  for (const port of server.ports) {
    port.congest();
    time.after(random.int(500, 2_000), () => port.drain());
  }
  traffic.sayMuch();
}

/** Everybody stands at the heads of their channels. */
async function catchUp(world: HealingWorld, run: Run): Promise<void> {
  await run(5_000);
  let heads: ReadonlyMap<string, Position> = new Map();
  void world.broker.heads(CHANNELS).then((found) => {
    heads = found;
  });
  const behind = (): string[] =>
    world.parties.living.flatMap((party) =>
      [...party.views].flatMap(([channel, { at }]) => {
        const head = heads.get(channel);
        return at?.epoch === head?.epoch && at?.offset === head?.offset
          ? []
          : [`${party.name} in ${channel} at ${at?.offset} of ${head?.offset}`];
      }),
    );
  const caughtUp = await run(CATCH_UP_MS, () => heads.size > 0 && behind().length === 0);
  check(caughtUp, 7, () => `not everybody has everything: ${behind().join(', ')}`);
}

function checkViews(world: HealingWorld): void {
  for (const { name, views } of world.parties.living) {
    for (const [channel, { skips, board }] of views) {
      skips?.check();
      const difference = board?.difference(world.traffic.cellsOf(channel)) ?? '';
      check(difference === '', 7, () => `${name} does not know the state of ${channel}: ${difference}`);
    }
  }
}

/** Who is there and is not seen, or the other way round; empty: nobody. */
async function strangers(world: HealingWorld): Promise<string> {
  for (const channel of CHANNELS.filter(hasPresence)) {
    const there = await world.members(channel);
    for (const { name, views, attendees } of world.parties.living) {
      const view = views.get(channel);
      const seen = inWords([...(view?.members?.values() ?? [])]);
      if (view !== undefined && seen !== inWords(there))
        return `${name} sees ${seen} in ${channel}, and there are ${inWords(there)}`;
      const member = there.find(({ id }) => id === name)?.data ?? null;
      const wanted = attendees.get(channel)?.wanted ?? null;
      if (member !== wanted) return `${name} is ${member} in ${channel}, and wants ${wanted}`;
    }
  }
  return '';
}

const inWords = (members: readonly PresenceEntry[]): string =>
  members
    .map(({ id, data, connected }) => `${id} (${data}${connected ? '' : ', away'})`)
    .sort()
    .join(', ');

/** Every call of a living client is settled, so the generators behind its streams are closed; others live with their sessions. */
function checkStreams(world: HealingWorld): void {
  for (const { text, client } of world.streams) {
    check(world.hasSession(client), 13, () => `the generator of ${text} is open, and its session is over`);
    const of = world.parties.living.find(({ name }) => text.startsWith(`${name}.`));
    check(of === undefined, 13, () => `the generator of ${text} is open, and its call is settled`);
  }
}
