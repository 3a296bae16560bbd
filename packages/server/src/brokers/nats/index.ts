export { type NatsBrokerOptions, natsBroker } from './broker.ts';
export type { NatsConnectionOptions } from './link.ts';
