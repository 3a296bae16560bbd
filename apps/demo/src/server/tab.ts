import { realtimePath } from '../realtime-path.ts';

/** Which tab a realtime request is from, by the secret in its address; null for all other requests, and for other clients. */
export function tabOf(url = '/'): string | null {
  const { pathname, searchParams } = new URL(url, 'http://any');
  return pathname === realtimePath ? searchParams.get('tab') : null;
}
