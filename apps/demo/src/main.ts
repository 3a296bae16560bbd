import { redisBroker } from '@runnel/server/redis';
import { startDemo } from './server/start-demo.ts';

const { HOST: host, PORT: port = '3000', REDIS_URL: redis } = process.env;
try {
  const demo = await startDemo({
    port: Number(port),
    ...(host === undefined ? {} : { host }),
    ...(redis === undefined ? {} : { broker: redisBroker({ url: redis }) }),
  });
  console.log(`Runnel demo on ${demo.url}`);

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // The second time the default holds, and ends the process at once.
    process.once(signal, () => void demo.close());
  }
} catch (error) {
  console.error(`The demo did not start: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
