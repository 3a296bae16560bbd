import { type ConnectionState, createClient } from '@runnel/client';
import { createServer, memoryBroker, type ServerIdentity } from '@runnel/server';
import manifest from '../../../packages/client/package.json' with { type: 'json' };
import { ElasticClock } from '../../support/elastic-clock.ts';
import { lasting } from '../../support/lasting-broker.ts';
import type { Numbered } from '../arrivals.ts';
import { type Contract, contract } from '../contract.ts';
import { lapse } from '../lapse.ts';
import type { Contender, Standing } from './contender.ts';

/** How long a publish may be under way, ms: longer than anything lasts that the gauntlet does to it. */
const TIMEOUT_MS = 60_000;

export const runnel: Contender = {
  name: 'Runnel',
  version: manifest.version,
  knowsProxies: true,

  host({ take, fail, first }) {
    // The log is that of a broker which outlives the server.
    const broker = lasting(memoryBroker());
    const subscribed = broker.subscribe('up', {
      message: ({ data }) => take(JSON.parse(data) as Numbered),
      volatile: () => {},
    });
    let begun = false;
    return (http) => {
      const clock = new ElasticClock();
      const realtime = createServer<Contract, ServerIdentity>({
        ...{ contract, broker, clock },
        authenticate: () => ({ id: 'ann' }),
        onError: fail,
      });
      realtime.handle('down', { open: true });
      realtime.handle('up', { open: true });
      realtime.attach(http);
      const send = (message: Numbered): Promise<unknown> => realtime.channel('down').broadcast('tick', message);
      const ready = begun ? subscribed : subscribed.then(() => send(first()));
      begun = true;
      return {
        send: async (message) => {
          await ready;
          await send(message);
        },
        age: (ms) => lapse(clock, ms),
        close: (farewell) => realtime.close(farewell ? {} : { timeoutMs: 0 }),
      };
    };
  },

  visit({ port, scheme = 'http', environment, transports }, down) {
    const client = createClient<Contract>(`${scheme}://127.0.0.1:${port}/realtime`, {
      ...(environment === undefined ? {} : { environment }),
      ...(transports === undefined ? {} : { transports }),
    });
    client.channel('down', { rewind: 1 }).on('tick', down);
    return {
      get standing() {
        return standingOf(client.state);
      },
      onStanding: (handler) => client.onState(handler),
      publish: (message) => client.channel('up').publish('tick', message, { timeoutMs: TIMEOUT_MS }),
      facts: () => {
        const { attempts, counts } = client.diagnose();
        const proofs = attempts.filter(
          ({ step, outcome }) => outcome === 'ok' && (step === 'probe' || step === 'attach'),
        );
        return { attaches: counts.attaches, proven: new Set(proofs.map(({ transport }) => transport)) };
      },
      describe: () => {
        const { attempts, ...rest } = client.diagnose();
        return [rest, ...attempts].map((fact) => JSON.stringify(fact)).join('\n');
      },
      close: () => client.close(),
    };
  },
};

function standingOf(state: ConnectionState): Standing {
  if (state.status === 'open') return { transport: state.transport, failures: 0 };
  return { transport: null, failures: 'attempt' in state ? state.attempt - 1 : 0 };
}
