/** What `authenticate` on the server is given. */
import { DEFAULT_LIMITS, encodeData, utf8Length } from '@runnel/protocol';
import type { Environment } from './environment.ts';

/** Why credentials are asked for. */
export interface AuthContext {
  /** Whether those given last will not do: they were refused, or expire, or `reauthenticate()` asks for others. */
  readonly refresh: boolean;
}

/** Credentials, which must be JSON of at most 16 KiB, or a function that finds them out, at once or by a promise. */
export type Auth = ((context: AuthContext) => unknown) | object | string | number | boolean | null | undefined;

/** How long a function may take to find them out. */
const CREDENTIALS_MS_MAX = 30_000;

/** Rejects where the function fails, takes too long, or finds what cannot be sent. */
export function findCredentials(auth: Auth, refresh: boolean, after: Environment['after']): Promise<unknown> {
  let callOff = (): void => {};
  const late = new Promise<never>((_, reject) => {
    callOff = after(CREDENTIALS_MS_MAX, () => reject(new Error(`auth() took longer than ${CREDENTIALS_MS_MAX} ms`)));
  });
  const found = new Promise((resolve) => resolve(typeof auth === 'function' ? auth({ refresh }) : auth));
  return Promise.race([found, late])
    .then((value) => {
      const bytes = utf8Length(encodeData(value));
      if (bytes <= DEFAULT_LIMITS.authBytes) return value;
      throw new Error(`credentials have ${bytes} bytes, and may have ${DEFAULT_LIMITS.authBytes}`);
    })
    .finally(callOff);
}
