/** What apps write around a socket that does not come back by itself: it is opened again after a second, and what is sent meanwhile waits. */
import type { Numbered } from '../arrivals.ts';
import type { Visitor } from './contender.ts';

const PAUSE_MS = 1_000;

export interface PlainSocket {
  send(text: string): void;
  close(): void;
}

export interface PlainSocketEvents {
  open(transport: string): void;
  message(text: string): void;
  closed(): void;
}

export function reopened(open: (events: PlainSocketEvents) => PlainSocket, down: (message: Numbered) => void): Visitor {
  const handlers = new Set<() => void>();
  const waiting: string[] = [];
  let socket: PlainSocket | null = null;
  let transport: string | null = null;
  let failures = 0;
  let pause: NodeJS.Timeout | undefined;
  let over = false;
  const changed = (to: string | null): void => {
    transport = to;
    for (const handler of handlers) handler();
  };
  const connect = (): void => {
    const opened = open({
      open: (name) => {
        failures = 0;
        for (const text of waiting.splice(0)) opened.send(text);
        changed(name);
      },
      message: (text) => down(JSON.parse(text) as Numbered),
      closed: () => {
        if (over) return;
        failures += 1;
        pause = setTimeout(connect, PAUSE_MS);
        changed(null);
      },
    });
    socket = opened;
  };
  connect();
  return {
    get standing() {
      return { transport, failures };
    },
    onStanding: (handler) => {
      handlers.add(handler);
      return () => handlers.delete(handler);
    },
    publish: async (message) => {
      const text = JSON.stringify(message);
      if (transport === null) waiting.push(text);
      else socket?.send(text);
    },
    facts: () => null,
    describe: () => `transport: ${transport}, failures: ${failures}`,
    close: () => {
      over = true;
      clearTimeout(pause);
      socket?.close();
    },
  };
}
