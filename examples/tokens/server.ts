import { setTimeout } from 'node:timers/promises';
import { createServer } from '@runnel/server';
import { serve } from '../serve.ts';
import { contract } from './contract.ts';

/** Stands in for a language model. It is asked for the next token only when the reader has room for it. */
async function* model(prompt: string, signal: AbortSignal): AsyncGenerator<string> {
  const answer = `You said “${prompt}”. A stream is asked for part by part, so a slow reader slows the writer down, and one who stops reading stops it.`;
  for (const token of answer.split(/(?<= )/)) {
    await setTimeout(40, undefined, { signal });
    yield token;
  }
}

const realtime = createServer({ contract, authenticate: () => ({ id: 'anyone' }) });
realtime.handle('assistant', {
  open: true,
  requests: {
    async *ask({ data, signal, fail }) {
      if (/password/i.test(data.prompt)) fail('refused', { why: 'Secrets stay secret.' });
      let tokens = 0;
      for await (const token of model(data.prompt, signal)) {
        tokens += 1;
        yield token;
      }
      return { tokens };
    },
  },
});

await serve(realtime, import.meta.url);
