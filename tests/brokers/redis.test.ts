import { redisBroker } from '@runnel/server/redis';
import { afterAll, beforeAll } from 'vitest';
import { type BrokerUnderTest, describeBroker } from './conformance.ts';
import { describeNodes } from './node-conformance.ts';
import { startRedis } from './programs/redis-server.ts';
import type { ServerProcess } from './programs/server-process.ts';

let server: ServerProcess;
let prefixes = 0;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const create = (): BrokerUnderTest => {
  const options = { url: `redis://127.0.0.1:${server.port}`, prefix: `test${++prefixes}`, leaseMs: 600 };
  return { broker: redisBroker(options), other: redisBroker(options) };
};

describeBroker('the Redis broker', create);
describeNodes('the Redis broker', create);
