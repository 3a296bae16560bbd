import type { AddressInfo, Server } from 'node:net';
import type { Payload } from '../payload.ts';

/** A server that is up. */
export interface Contender {
  readonly port: number;
  /** What it is, with its version. */
  readonly version: string;
  /** Sends each payload to every subscriber, all within this turn. */
  broadcast(payloads: readonly Payload[]): void;
}

/** Starts a server on a free port of the loopback interface. */
export type StartContender = () => Promise<Contender>;

export function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
