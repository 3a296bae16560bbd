/** Microtasks for engines that have none to give: a queue of our own, which is worked off in one task, or microtask, of the engine. */

const queue: (() => void)[] = [];

/** Has `drain` called soon, but not at once. Asked for when the queue was empty. */
const wake: () => void = wakerOf(drain);

/** Calls `run` after what runs now, and after what was queued before. What it throws reaches the page's handler of uncaught errors. */
export function queueMicrotask(run: () => void): void {
  if (queue.push(run) === 1) wake();
}

function drain(): void {
  // By index: shifting a long array costs as much as it is long. What is queued meanwhile has its turn too.
  for (let i = 0; i < queue.length; i++) {
    try {
      (queue[i] as () => void)();
    } catch (error) {
      setTimeout(() => {
        throw error;
      });
    }
  }
  queue.length = 0;
}

function wakerOf(run: () => void): () => void {
  if (typeof MutationObserver === 'function' && typeof document === 'object') {
    const node = document.createTextNode('');
    let text = 0;
    new MutationObserver(run).observe(node, { characterData: true });
    return () => {
      text ^= 1;
      node.data = `${text}`;
    };
  }
  return () => setTimeout(run, 0);
}
