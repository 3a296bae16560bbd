import { createClient, RunnelError } from '@runnel/client';
import type { AppContract } from './contract.js';

const client = createClient<AppContract>('/realtime', { auth: () => 'ann' });
const room = client.channel('room/:roomId', { roomId: 'lobby' }, { rewind: 50 });

room.on('message', ({ text, from }, { self }) => console.log(self ? 'me' : from, text));
room.send('typing', { name: 'Ann' });
client.channel('ticker').on('quote', ({ price }) => console.log(price.toFixed(2)));

export async function say(text: string): Promise<'said' | 'forbidden'> {
  try {
    await room.publish('message', { text });
    return 'said';
  } catch (error) {
    if (RunnelError.is(error) && error.code === 'forbidden') return 'forbidden';
    throw error;
  }
}

export const rename = (name: string): Promise<number> => room.request('rename', name);
