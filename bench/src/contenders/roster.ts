/** The contenders by name. To add one: a file here, a line below, and what its subscribers speak in `load/dialects.ts`. */
import type { StartContender } from './contender.ts';

const contenders = {
  runnel: async () => (await import('./runnel.ts')).startRunnel,
  ws: async () => (await import('./ws-loop.ts')).startWsLoop,
  'socket.io': async () => (await import('./socket-io.ts')).startSocketIo,
  net: async () => (await import('./net.ts')).startNet,
} as const satisfies { readonly [name: string]: () => Promise<StartContender> };

export type ContenderName = keyof typeof contenders;

export const contenderNames = Object.keys(contenders) as readonly ContenderName[];

export function isContenderName(name: string): name is ContenderName {
  return Object.hasOwn(contenders, name);
}

/** Only the one asked for is loaded, so that no other is in its memory. */
export function loadContender(name: ContenderName): Promise<StartContender> {
  return contenders[name]();
}
