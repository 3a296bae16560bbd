import { channel, defineContract } from '@runnel/protocol';
import { z } from 'zod';

const Task = z.object({ id: z.number(), title: z.string(), done: z.boolean() });

const channels = defineContract({
  'tasks/:listId': channel({
    // The query's result, and what changes in it.
    snapshot: z.array(Task),
    events: { saved: Task, removed: z.object({ id: z.number() }) },
    requests: {
      add: { input: z.object({ title: z.string().trim().min(1).max(200) }), output: Task },
      toggle: { input: z.object({ id: z.number() }), errors: { gone: z.object({}) } },
      remove: { input: z.object({ id: z.number() }), idempotent: true },
    },
  }),
});

type Channels = typeof channels;
export interface TasksContract extends Channels {}
export const contract: TasksContract = channels;
export type Task = z.infer<typeof Task>;
