import { natsBroker } from '@runnel/server/nats';
import { afterAll, beforeAll } from 'vitest';
import { type BrokerUnderTest, describeBroker } from './conformance.ts';
import { describeNodes } from './node-conformance.ts';
import { startNats } from './programs/nats-server.ts';
import type { ServerProcess } from './programs/server-process.ts';

let server: ServerProcess;
let prefixes = 0;
beforeAll(async () => {
  server = await startNats();
});
afterAll(() => server.stop());

const create = (): BrokerUnderTest => {
  const options = { servers: `nats://127.0.0.1:${server.port}`, prefix: `test${++prefixes}`, leaseMs: 600 };
  return { broker: natsBroker(options), other: natsBroker(options) };
};

describeBroker('the NATS broker', create);
describeNodes('the NATS broker', create);
