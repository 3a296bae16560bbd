import { type Client, type ClientChannel, createClient, type Transport } from '@runnel/client';
import type { DemoContract, Person } from '../contract.ts';
import { realtimePath } from '../realtime-path.ts';

export type AppClient = Client<DemoContract>;
export type RoomChannel = ClientChannel<DemoContract, 'room/:roomId'>;

interface AppClientOptions {
  /** Asked again whenever the session has to be opened anew. */
  readonly person: () => Person;
  /** Names this tab's requests, for the button that cuts them; nobody else learns it. */
  readonly cutKey: string;
  /** The transport to use and no other; undefined: all, the best that gets through. */
  readonly pinned: Transport | undefined;
}

export function createAppClient({ person, cutKey, pinned }: AppClientOptions): AppClient {
  return createClient<DemoContract>(`${realtimePath}?tab=${cutKey}`, {
    auth: person,
    ...(pinned === undefined ? {} : { transports: [pinned] }),
  });
}
