import type { Client } from '@runnel/client';
import { createServer } from '@runnel/server';
import { createTestClient, next } from '../src/index.ts';
import { type Chat, chat, type User } from './chat-server.ts';

const realtime = createServer({ contract: chat, authenticate: (): User | null => null });
const alice = createTestClient(realtime, { user: { id: 'alice', name: 'Alice' } });

// The contract is the server's, and the client is one that an app's own functions take.
export const client: Client<Chat> = alice;
export const disposable: AsyncDisposable = alice;

const room = alice.channel('room/:roomId', { roomId: 'lobby' });
export const heard: Promise<{ readonly data: { text: string; from: string } }> = next(room, 'message');
void next(room, 'message', { where: ({ text }, { self }) => self && text.length > 0 });

// @ts-expect-error: there is no such event
void next(room, 'massage');
// @ts-expect-error: there is no such channel
alice.channel('rom/:roomId', { roomId: 'lobby' });
// @ts-expect-error: a user of this server has a name
createTestClient(realtime, { user: { id: 'alice' } });
// @ts-expect-error: a WebSocket needs a port
createTestClient(realtime, { user: { id: 'alice', name: 'Alice' }, transports: ['websocket'] });
