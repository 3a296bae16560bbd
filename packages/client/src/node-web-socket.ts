/** Where there is no global `WebSocket`: Node has one of its own from version 22 on. Browsers get `no-web-socket.ts` in place of this (`imports` of the package). */
import type { WebSocketConstructor } from './environment.ts';

interface Globals {
  readonly process?: { readonly versions?: { readonly node?: string } };
}

export async function loadWebSocket(): Promise<WebSocketConstructor> {
  if ((globalThis as Globals).process?.versions?.node === undefined) throw new Error('there is no WebSocket here');
  // Not a literal, so that no bundler follows it.
  const name = ['w', 's'].join('');
  try {
    const ws = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as { WebSocket: WebSocketConstructor };
    return ws.WebSocket;
  } catch {
    throw new Error('this version of Node has no WebSocket of its own: install the package "ws"');
  }
}
