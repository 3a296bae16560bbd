import type { ServerResponse } from 'node:http';

type Written = Parameters<ServerResponse['write']>[0];

/** Keeps the body back until it is whole, as a proxy that buffers does. Returns what lets it go on as it comes. */
export function holdBack(response: ServerResponse): () => void {
  const { write, end, flushHeaders } = response;
  const held: Written[] = [];
  const letGo = () => {
    Object.assign(response, { write, end, flushHeaders });
    for (const bytes of held.splice(0)) response.write(bytes);
  };
  Object.assign(response, {
    write: (bytes: Written) => {
      held.push(bytes);
      return true;
    },
    end: (...last: Parameters<ServerResponse['end']>) => {
      letGo();
      return response.end(...last);
    },
    flushHeaders: () => {},
  });
  return () => {
    if (!response.writableEnded) letGo();
  };
}

/** Nothing more of it is sent, and its end neither; whoever writes it does not notice. */
export function silence(response: ServerResponse): void {
  Object.assign(response, { write: () => true, end: () => response, flushHeaders: () => {} });
}
