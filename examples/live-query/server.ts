import { createServer } from '@runnel/server';
import { serve } from '../serve.ts';
import { contract, type Task } from './contract.ts';

/** Stands in for a table. */
const tasks = new Map<number, Task>();
let lastId = 0;

const realtime = createServer({ contract, authenticate: () => ({ id: 'anyone' }) });
realtime.handle('tasks/:listId', {
  open: true,
  snapshot: () => [...tasks.values()],
  requests: {
    add: async ({ data, channel }) => {
      const task = { id: ++lastId, title: data.title, done: false };
      tasks.set(task.id, task);
      await channel.broadcast('saved', task);
      return task;
    },
    toggle: async ({ data, channel, fail }) => {
      const task = tasks.get(data.id) ?? fail('gone', {});
      task.done = !task.done;
      await channel.broadcast('saved', task);
    },
    remove: async ({ data, channel }) => {
      if (tasks.delete(data.id)) await channel.broadcast('removed', data);
    },
  },
});

await serve(realtime, import.meta.url);
