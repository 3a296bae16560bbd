/** The contenders by name. To add one: a file here, a line below, and what its clients speak in `load/`. */
import type { ContenderName, StartContender } from './contender.ts';

const contenders: { readonly [name in ContenderName]: () => Promise<StartContender> } = {
  runnel: async () => (await import('./runnel.ts')).startRunnel,
  ws: async () => (await import('./ws.ts')).startWs,
  net: async () => (await import('./net.ts')).startNet,
  'socket.io': async () => (await import('./socket-io.ts')).startSocketIo,
  sockjs: async () => (await import('./sockjs.ts')).startSockJs,
  sse: async () => (await import('./sse.ts')).startSse,
  'long-poll': async () => (await import('./long-poll.ts')).startLongPoll,
  nchan: async () => (await import('./nchan.ts')).startNchan,
};

/** Only the one asked for is loaded, so that no other is in its memory. */
export function loadContender(name: ContenderName): Promise<StartContender> {
  return contenders[name]();
}
