import express from 'express';
import session, { type SessionData } from 'express-session';
import passport from 'passport';
import { type AttachRequest, createServer } from '../../src/index.ts';
import { contract } from '../app-contract.ts';
import type { Assert, Equal } from '../equal.ts';

declare global {
  namespace Express {
    interface User {
      id: string;
    }
  }
}

interface User {
  readonly id: string;
}
declare function verify(token: unknown): User | null;

// The middlewares of an Express app, as they are; what they declare of a request is known to authenticate.
createServer({
  contract,
  use: [session({ secret: 'secret' }), passport.session(), express().use(express.json()), express.Router()],
  authenticate: ({ request, auth }) => verify(auth) ?? request.user ?? null,
});
createServer({
  contract,
  authenticate: ({ request }) => {
    type Checks = Assert<
      [
        Equal<typeof request, AttachRequest>,
        Equal<typeof request.session, session.Session & Partial<SessionData>>,
        Equal<typeof request.fetchRequest, Request | undefined>,
        Equal<typeof request.headers.cookie, string | undefined>,
        Equal<typeof request.socket.remoteAddress, string | undefined>,
      ]
    >;
    return { id: request.sessionID } satisfies Checks extends true[] ? User : never;
  },
});

// One of one's own.
createServer({
  contract,
  use: [
    (request, response, next) => {
      if (request.headers.authorization === undefined) response.writeHead(401).end();
      else next();
    },
    async (_request, _response, next) => next(),
    // @ts-expect-error TS2322: Express's way to handle errors
    (error: Error, _request, _response, _next) => error,
  ],
  authenticate: () => null,
});
// @ts-expect-error TS2322: no middleware
createServer({ contract, use: ['session'], authenticate: () => null });

// As a framework's route, and in its place.
const realtime = createServer({ contract, authenticate: ({ auth }) => verify(auth) });
export const POST: (request: Request, context: { readonly params: Promise<object> }) => Promise<Response> =
  realtime.fetchHandler;
export const answer: Promise<Response> = realtime.fetchAs({ id: 'anna' }, new Request('https://app.example/realtime'));
// @ts-expect-error TS2741: who is it?
realtime.fetchAs({}, new Request('https://app.example/realtime'));
