/** The load generator of one contender: its clients, in a process of their own. */
import { serveParent } from '../child.ts';
import type { LoadCommand, LoadReport } from '../messages.ts';
import { Crowd } from './crowd.ts';

let made: Crowd | null = null;

function crowd(): Crowd {
  if (made === null) throw new Error('there is no crowd yet');
  return made;
}

const report = serveParent<LoadCommand, LoadReport>(async (command): Promise<void> => {
  switch (command.type) {
    case 'crowd':
      made = new Crowd(command, report);
      return;
    case 'connect':
      await crowd().connect(command.count);
      return report({ type: 'connected' });
    case 'disconnect':
      crowd().disconnect();
      return report({ type: 'disconnected' });
    case 'subscribe':
      await crowd().subscribe(command.perConnection);
      return report({ type: 'subscribed' });
    case 'open':
      crowd().open(command);
      return report({ type: 'opened' });
    case 'expect':
      return crowd().expect(command.deliveries);
    case 'close':
      return report({ type: 'closed', received: crowd().close() });
    case 'call':
      return report({ type: 'called', ...(await crowd().call(command)) });
  }
});
