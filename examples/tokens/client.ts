import { createClient } from '@runnel/client';
import type { AssistantContract } from './contract.ts';

const find = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const client = createClient<AssistantContract>('/realtime');
const assistant = client.channel('assistant');

let stopped = false;
find('stop').onclick = () => {
  stopped = true;
};
find<HTMLFormElement>('form').onsubmit = async (event) => {
  event.preventDefault();
  stopped = false;
  find('answer').replaceChildren();
  find('note').textContent = '…';
  try {
    const answer = assistant.iterate('ask', { prompt: find<HTMLInputElement>('prompt').value });
    for await (const token of answer) {
      find('answer').append(token);
      // Leaving the loop cancels the request, and the server's generator with it.
      if (stopped) break;
    }
    find('note').textContent = stopped ? 'stopped' : `${(await answer.output).tokens} tokens`;
  } catch (error) {
    find('note').textContent = (error as Error).message;
  }
};
