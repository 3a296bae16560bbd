import { redisBroker } from '@runnel/server/redis';
import { startRedis } from './programs/redis-server.ts';
import { describeServers } from './servers.ts';

describeServers('Redis', {
  startServer: startRedis,
  connect: (port, options) => redisBroker({ url: `redis://127.0.0.1:${port}`, ...options }),
  durable: false,
});
