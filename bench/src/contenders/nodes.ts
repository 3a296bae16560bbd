/** A contender as several nodes that share a broker: this process is one of them, and starts the broker and the others, which end with it. */
import { Child } from '../child.ts';
import type { ServerCommand, ServerReport } from '../messages.ts';
import { startBroker } from './broker-server.ts';
import type { Contender, ContenderName, Setup, StartContender } from './contender.ts';

const START_MS = 20_000;

export async function startNodes(name: ContenderName, start: StartContender, setup: Setup): Promise<Contender> {
  const { broker, nodes } = setup;
  if (broker === null || setup.brokerUrl !== null) return start(setup);
  const { url, pid } = await startBroker(broker);
  const shared = { ...setup, brokerUrl: url };
  const others = Array.from(
    { length: nodes - 1 },
    (_, i) =>
      new Child<ServerCommand, ServerReport>({
        name: `node ${i + 2} of ${name}`,
        program: process.argv[1] ?? '',
        args: [name, JSON.stringify(shared)],
      }),
  );
  // They end by themselves when they have lost their parent.
  const reports = await Promise.all(others.map((other) => other.next('listening', START_MS)));
  const own = await start(shared);
  return {
    ...own,
    version: `${own.version}`,
    ports: [own.port, ...reports.map(({ port }) => port)],
    pids: [process.pid, ...others.map((other) => other.pid)],
    brokerPids: [pid],
  };
}
