export { type RedisBrokerOptions, redisBroker } from './broker.ts';
export type { RedisConnectionOptions } from './link.ts';
