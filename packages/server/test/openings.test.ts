import type { Identity } from '@runnel/protocol';
import { expect, it } from 'vitest';
import { Handshake } from '../src/handshake.ts';
import { Openings, openingOf } from '../src/openings.ts';
import { FakeApp, type FakeSession } from './transports/fake-app.ts';

const opening = (url: string) => Handshake.ofRequest({ url, headers: {}, socket: {} });
const newSession = () => ({ client: 'c1', opening: null }) as FakeSession;

function setUp() {
  const app = new FakeApp();
  return { app, openings: new Openings<Identity>(app) };
}

it('knows how a session was opened, or resumed last, until it is over', () => {
  const { app, openings } = setUp();
  const session = newSession();
  const [first, second] = [opening('/first'), opening('/second')];
  openings.during(first, () => openings.created(session, [], () => {}));
  expect(openingOf(session)).toBe(first);
  openings.during(second, () => openings.resumed(session));
  expect(openingOf(session)).toBe(second);
  openings.ended(session, 'closed');
  expect(openingOf(session)).toBeNull();
  expect([app.sessions, app.ends]).toEqual([[session], ['closed']]);
});

it('takes no attach for another whose turn has thrown', () => {
  const { openings } = setUp();
  const session = newSession();
  const attach = () => {
    throw new Error('broken');
  };
  expect(() => openings.during(opening('/first'), attach)).toThrow('broken');
  openings.resumed(session);
  expect(openingOf(session)).toBeNull();
});
