/** Where the realtime server is, for both ends. */
export const realtimePath = '/realtime';
