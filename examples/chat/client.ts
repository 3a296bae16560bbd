import { createClient } from '@runnel/client';
import type { ChatContract } from './contract.ts';

const find = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const name = new URLSearchParams(location.search).get('name') ?? `guest-${Math.floor(Math.random() * 1_000)}`;

const client = createClient<ChatContract>('/realtime', { auth: name });
const room = client.channel('room/:roomId', { roomId: 'lobby' }, { rewind: 50 });

room.on('message', ({ from, text }, { self }) => {
  const item = document.createElement('li');
  item.append(self ? 'me: ' : `${from}: `, text);
  find('messages').append(item);
  find('typing').replaceChildren();
});

let quiet = 0;
room.on('typing', ({ name }, { self }) => {
  if (self) return;
  find('typing').textContent = `${name} is typing …`;
  clearTimeout(quiet);
  quiet = window.setTimeout(() => find('typing').replaceChildren(), 2_000);
});

room.presence.onChange((members) => {
  find('here').textContent = members
    .map(({ data, connected }) => (connected ? data.name : `(${data.name})`))
    .join(', ');
});
await room.presence.enter({});

const text = find<HTMLInputElement>('text');
text.oninput = () => room.send('typing', { name });
find<HTMLFormElement>('form').onsubmit = async (event) => {
  event.preventDefault();
  const said = text.value;
  text.value = '';
  // Answered when the server's handler is done; waits in a queue while there is no connection.
  await room.publish('message', { text: said }).catch(({ message }) => {
    find('typing').textContent = message;
  });
};
client.onState((state) => {
  find('state').textContent = state.status === 'open' ? state.transport : state.status;
});
