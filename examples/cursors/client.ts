import { createClient } from '@runnel/client';
import type { CursorsContract } from './contract.ts';

const id = crypto.randomUUID();
const name = new URLSearchParams(location.search).get('name') ?? `guest-${id.slice(0, 4)}`;
const board = document.getElementById('board') as HTMLElement;
const cursors = new Map<string, HTMLElement>();

const client = createClient<CursorsContract>('/realtime', { auth: id });
const channel = client.channel('board/:boardId', { boardId: 'main' });

channel.presence.onChange((members) => {
  const others = members.filter((member) => member.id !== id);
  for (const [of, cursor] of cursors) {
    if (others.some((member) => member.id === of)) continue;
    cursor.remove();
    cursors.delete(of);
  }
  for (const { id: of, data } of others) {
    const cursor = cursors.get(of) ?? board.appendChild(document.createElement('div'));
    cursor.className = 'cursor';
    cursor.textContent = data.name;
    cursors.set(of, cursor);
  }
  document.getElementById('here')?.replaceChildren(`${members.length} here`);
});
channel.on('cursor', ({ id: of, x, y }) => {
  const cursor = cursors.get(of);
  if (cursor !== undefined) Object.assign(cursor.style, { left: `${x * 100}%`, top: `${y * 100}%` });
});
await channel.presence.enter({ name });

board.onpointermove = ({ clientX, clientY }) => {
  const { left, top, width, height } = board.getBoundingClientRect();
  const share = (value: number) => Math.min(1, Math.max(0, value));
  channel.send('cursor', { id, x: share((clientX - left) / width), y: share((clientY - top) / height) });
};
