/** One seeded run of the application world. */
import type { Position, PresenceEntry } from '@runnel/protocol';
import { Random } from '@runnel/protocol/testing';
import { hasPresence } from './app-contract.ts';
import { AppWorld } from './app-world.ts';
import { disturbNetwork, healNetwork } from './faults.ts';
import type { ScheduleResult } from './schedule.ts';
import { check } from './violation.ts';
import { WorldRun } from './world-run.ts';

/** Calls may wait for this long at most, and for a connection before. */
const SETTLE_MS = 120_000;
/** A subscription that was refused tries again after ten seconds at most; the log is read page by page. */
const CATCH_UP_MS = 120_000;

/** Runs the schedule of `seed`; rejects with a `Violation`. */
export async function runAppSchedule(
  seed: number,
  onWorld: (world: AppWorld) => void = () => {},
  hashed = false,
): Promise<ScheduleResult> {
  const random = new Random(seed);
  const world = new AppWorld(random, hashed);
  onWorld(world);
  const running = new WorldRun(world);
  const faults = random.int(0, 25);
  const busy = random.pick([1, 3, 10]);
  await running.provoke(random, faults, { act: () => world.act(random.int(1, busy)), disturb: () => disturb(world) });
  const liveness = random.chance(0.7);
  world.coverage.saw(liveness ? 'liveness schedule' : 'safety schedule');
  if (liveness) await heal(world, running.run);
  // What has failed once and is sent again after a restart runs after others.
  const { counts } = world.coverage;
  if (!counts.has('handler failure') && !counts.has('broker failure')) world.truth.checkOrder();
  return { events: running.events, coverage: world.coverage.counts, hash: world.log.hash };
}

const END_FAULTS = [
  'restart',
  'restart with the log',
  'restart with the log',
  'kick',
  'die',
  'join',
  'join',
  'broker',
  'broker',
  'broker',
] as const;

function disturb(world: AppWorld): void {
  const { random } = world;
  const fault = random.chance(0.7) ? null : random.pick(END_FAULTS);
  if (fault === null) return disturbNetwork(world);
  world.log.add('world', fault);
  if (fault === 'join') return world.join();
  if (fault === 'broker') return world.shakeBroker();
  if (fault === 'kick') {
    if (!world.kick()) return;
  } else if (fault === 'die') {
    if (world.living.length === 0) return;
    world.die(random.pick(world.living));
  } else world.restart(fault === 'restart with the log');
  world.coverage.saw(fault);
}

type Run = (ms: number, until?: () => boolean) => Promise<boolean>;

/** Invariants 7, 8, 11 and 13: when all heals, every call is settled, every subscriber knows all there is to know, and nothing is left over. */
async function heal(world: AppWorld, run: Run): Promise<void> {
  if (world.living.length === 0) world.join();
  world.heal();
  healNetwork(world);
  const open = (): number => world.living.reduce((sum, party) => sum + party.open, 0);
  const connected = (): boolean =>
    world.living.every(({ client }) => client.session.ready && client.session.transport !== null);
  const settled = await run(SETTLE_MS, () => connected() && open() === 0);
  check(settled, 8, () => `${open()} calls are not settled ${SETTLE_MS} ms after healing`);
  // What was published before it healed is accepted or has failed by now.
  await run(5_000);
  world.sayUnsaid();
  world.sayInAll();
  await catchUp(world, run);
  // With nothing else amiss, all that may be missing is what is dropped on purpose.
  const { counts } = world.coverage;
  const lost = counts.get('position lost');
  world.crowd();
  for (const party of world.living) party.appear('room/a');
  await catchUp(world, run);
  check(counts.get('position lost') === lost, 7, () => 'a position was lost, and all went well');
  const present = await run(CATCH_UP_MS, () =>
    world.living.every(({ attendees }) => [...attendees.values()].every((attendee) => attendee.settled)),
  );
  check(present, 8, () => 'somebody cannot enter or leave');
  await run(5_000);
  checkViews(world);
  checkStreams(world);
  // A dead client is found out in its own time: news of that may be on the way.
  for (let difference = await strangers(world), tries = 1; difference !== ''; tries += 1) {
    check(tries < 3, 7, () => difference);
    await run(5_000);
    difference = await strangers(world);
  }
}

/** Everybody stands at the heads of their channels. */
async function catchUp(world: AppWorld, run: Run): Promise<void> {
  await run(5_000);
  let heads: ReadonlyMap<string, Position> = new Map();
  void world.broker.heads(world.channels).then((found) => {
    heads = found;
  });
  const behind = (): string[] =>
    world.living.flatMap((party) =>
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

function checkViews(world: AppWorld): void {
  for (const { name, views } of world.living) {
    for (const [channel, { skips, board }] of views) {
      skips?.check();
      const difference = board?.difference(world.boards.get(channel)?.cells ?? {}) ?? '';
      check(difference === '', 7, () => `${name} does not know the state of ${channel}: ${difference}`);
    }
  }
}

/** Who is there and is not seen, or the other way round; empty: nobody. */
async function strangers(world: AppWorld): Promise<string> {
  for (const channel of world.channels.filter(hasPresence)) {
    const there = await world.node.members(channel);
    for (const { name, views, attendees } of world.living) {
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
function checkStreams(world: AppWorld): void {
  const names = new Set([...world.server.registry.sessions()].map(({ client }) => client));
  for (const { text, client } of world.node.streams) {
    check(names.has(client), 13, () => `the generator of ${text} is open, and its session is over`);
    const of = world.living.find(({ name }) => text.startsWith(`${name}.`));
    check(of === undefined, 13, () => `the generator of ${text} is open, and its call is settled`);
  }
}
