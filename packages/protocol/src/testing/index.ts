export * from './pair.ts';
export * from './random.ts';
export * from './virtual-client.ts';
export * from './virtual-network.ts';
export * from './virtual-server.ts';
export * from './virtual-time.ts';
export * from './wire-pipe.ts';
