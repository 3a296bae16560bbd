/** What browsers load in place of `node-web-socket.ts`: there is nothing to be loaded. */
export const loadWebSocket = (): Promise<never> => Promise.reject(new Error('there is no WebSocket here'));
