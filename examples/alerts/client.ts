import { createClient } from '@runnel/client';
import type { AlertsContract } from './contract.ts';

const find = (id: string) => document.getElementById(id) as HTMLElement;
const userId = new URLSearchParams(location.search).get('user') ?? 'ann';
const read = localStorage.getItem(`read by ${userId}`);

const client = createClient<AlertsContract>('/realtime', { auth: userId });
// On from where this browser has read to; the first time, the latest ten.
const own = client.channel('user/:userId', { userId }, read === null ? { rewind: 10 } : { since: JSON.parse(read) });

own.on('alert', ({ text, at }) => {
  const item = document.createElement('li');
  item.append(new Date(at).toLocaleTimeString(), ' ', text);
  find('alerts').prepend(item);
  localStorage.setItem(`read by ${userId}`, JSON.stringify(own.position));
});
own.onGap(() => {
  find('note').textContent = 'Some alerts are too old to be shown.';
});

find('user').textContent = userId;
find('send').onclick = () => fetch(`/alerts/${userId}`, { method: 'POST', body: 'Your parcel is here.' });
