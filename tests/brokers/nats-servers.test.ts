import { natsBroker } from '@runnel/server/nats';
import { startNats } from './programs/nats-server.ts';
import { describeServers } from './servers.ts';

describeServers('NATS', {
  startServer: startNats,
  connect: (port, options) => natsBroker({ servers: `nats://127.0.0.1:${port}`, ...options }),
  durable: true,
});
