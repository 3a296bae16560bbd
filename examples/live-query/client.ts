import { createClient } from '@runnel/client';
import type { Task, TasksContract } from './contract.ts';

const find = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const client = createClient<TasksContract>('/realtime');
const list = client.channel('tasks/:listId', { listId: 'home' });
let tasks = new Map<number, Task>();

// State is a snapshot and the changes since. Saving is the same done twice, so a change that the snapshot holds already does no harm.
list.onSnapshot((rows) => {
  tasks = new Map(rows.map((task) => [task.id, task]));
  show();
});
list.on('saved', (task) => {
  tasks.set(task.id, task);
  show();
});
list.on('removed', ({ id }) => {
  tasks.delete(id);
  show();
});

function show(): void {
  find('tasks').replaceChildren(
    ...[...tasks.values()].map(({ id, title, done }) => {
      const item = document.createElement('li');
      const box = Object.assign(document.createElement('input'), { type: 'checkbox', checked: done });
      box.onchange = () => list.request('toggle', { id }).catch(show);
      item.append(box, ' ', title);
      return item;
    }),
  );
}

find<HTMLFormElement>('form').onsubmit = async (event) => {
  event.preventDefault();
  const title = find<HTMLInputElement>('title');
  await list.request('add', { title: title.value });
  title.value = '';
};
find('tidy').onclick = () => {
  for (const { id, done } of tasks.values()) if (done) void list.request('remove', { id });
};
