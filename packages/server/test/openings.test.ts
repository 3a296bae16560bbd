import type { Identity } from '@runnel/protocol';
import { expect, it } from 'vitest';
import { Handshake } from '../src/handshake.ts';
import { Openings } from '../src/openings.ts';
import { FakeApp, type FakeSession } from './transports/fake-app.ts';

const opening = (url: string) => ({ handshake: new Handshake({ url, headers: {}, socket: {} }), known: false });
const session = { client: 'c1' } as FakeSession;

function setUp() {
  const app = new FakeApp();
  return { app, openings: new Openings<Identity>(app) };
}

it('knows how a session was opened, or resumed last, until it is over', () => {
  const { app, openings } = setUp();
  const [first, second] = [opening('/first'), opening('/second')];
  openings.during(first, () => openings.created(session, [], () => {}));
  expect(openings.get('c1')).toBe(first);
  openings.during(second, () => openings.resumed(session));
  expect(openings.get('c1')).toBe(second);
  openings.ended(session, 'closed');
  expect(openings.get('c1')).toBeUndefined();
  expect([app.sessions, app.ends]).toEqual([[session], ['closed']]);
});

it('takes no attach for another whose turn has thrown', () => {
  const { openings } = setUp();
  const attach = () => {
    throw new Error('broken');
  };
  expect(() => openings.during(opening('/first'), attach)).toThrow('broken');
  openings.resumed(session);
  expect(openings.get('c1')).toBeUndefined();
});
