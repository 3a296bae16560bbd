/** The load generator: holds the subscribers of all contenders, in a process of its own. */
import { serveParent } from '../child.ts';
import type { ContenderName } from '../contenders/roster.ts';
import type { LoadCommand, LoadReport } from '../messages.ts';
import { Crowd } from './crowd.ts';
import { dialects } from './dialects.ts';

const crowds = new Map<ContenderName, Crowd>();

function crowdOf(contender: ContenderName): Crowd {
  const crowd = crowds.get(contender);
  if (crowd === undefined) throw new Error(`nobody is connected to ${contender}`);
  return crowd;
}

const report = serveParent<LoadCommand, LoadReport>(async (command): Promise<void> => {
  switch (command.type) {
    case 'connect': {
      const { contender, port, count } = command;
      const crowd = new Crowd({
        dialect: dialects[contender],
        port,
        count,
        onTurn: () => report({ type: 'reached' }),
        onFailure: (error) => report({ type: 'failed', message: `${contender}: ${error.message}` }),
      });
      crowds.set(contender, crowd);
      await crowd.connect();
      return report({ type: 'connected' });
    }
    case 'open':
      crowdOf(command.contender).open(command);
      return report({ type: 'opened' });
    case 'close':
      return report({ type: 'closed', received: crowdOf(command.contender).close() });
  }
});
