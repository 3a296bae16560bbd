/** Why a client is closed for good, and what to do then. */
import type { ClosingCode } from '@runnel/protocol';

export interface Closing {
  /** Read after "Closed: ". */
  readonly title: string;
  readonly meaning: string;
  readonly remedy: string;
}

export const CLOSINGS: Readonly<Record<ClosingCode, Closing>> = {
  closed: {
    title: 'the session was ended on purpose',
    meaning: '`client.close()` was called, the page was left, or the server ended the session.',
    remedy: 'Nothing is wrong. `client.connect()` begins again.',
  },
  protocol_error: {
    title: 'one end broke the protocol',
    meaning: 'The packages at both ends differ, something on the way alters what it carries, or this is a bug.',
    remedy:
      'Compare the versions of `@runnel/client` and `@runnel/server`; if they are the same, report it with this text.',
  },
  unauthorized: {
    title: 'the credentials were refused',
    meaning: '`authenticate` returned `null` for what `auth` gave, and again for what it gave when it was asked anew.',
    remedy:
      'Sign in again, then `client.connect()`. If that does not help: check what `auth` returns, whether its token has expired, and the clock of the server.',
  },
  credentials_expired: {
    title: 'the credentials have expired',
    meaning: 'The server asked for fresh ones and got none in time.',
    remedy:
      'Sign in again, then `client.connect()`. Give `auth` as a function, so that it can be asked for fresh ones.',
  },
  forbidden_origin: {
    title: 'the server does not accept this page',
    meaning: "The `Origin` of the page is neither the server's own nor on its list.",
    remedy:
      'Add it to `origins` in `createServer`. Behind a proxy: pass the `Host` on (nginx: `proxy_set_header Host $host;`).',
  },
  version_unsupported: {
    title: 'client and server speak different versions',
    meaning: 'One of the two was updated, often because an old page is still open or cached.',
    remedy: 'Reload the page; update the older package.',
  },
  kicked: {
    title: 'the application ended this session',
    meaning: 'The server called `kick`.',
    remedy: "The reason is the application's. `client.connect()` tries again.",
  },
  frame_too_large: {
    title: 'a message was larger than allowed',
    meaning: 'Senders check before they send, so the limits of both ends differ, or one end is not Runnel.',
    remedy: 'Compare `limits` at both ends.',
  },
  forbidden: {
    title: 'this user may not connect',
    meaning:
      'The credentials are good, and the server refuses them all the same; often the session belongs to somebody else.',
    remedy: 'Look at what `authenticate` and `authorize` return for this user.',
  },
};
