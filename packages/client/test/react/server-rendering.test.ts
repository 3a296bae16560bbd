import { createElement, type ReactElement } from 'react';
import { renderToString } from 'react-dom/server';
import { expect, test } from 'vitest';
import { createHooks } from '../../src/react/index.ts';
import type { AppContract } from '../app-contract.ts';
import { turn } from '../turn.ts';
import { World } from '../world.ts';

const { RunnelProvider, useChannel, useConnection, useEvent, useMessages, usePresence, useSnapshot, useSubscription } =
  createHooks<AppContract>();

function App(): ReactElement {
  const room = useChannel('room/:roomId', { roomId: 'lobby' }, { rewind: 5 });
  const ticker = useChannel('ticker');
  const nothing = useChannel('ticker' as 'ticker' | null);
  useEvent(room, 'message', () => {});
  const meta = { id: 'e-1', offset: 1, by: null, self: false, recovered: false };
  const messages = useMessages(room, {
    events: ['message'],
    initial: [{ event: 'message', data: { text: 'hi' }, meta }],
  });
  const { members } = usePresence(room, { enter: { color: 'red' } });
  const state = useSnapshot(ticker, { quote: (prices) => prices });
  const { status } = useSubscription(nothing);
  const connection = useConnection().status;
  return createElement(
    'p',
    null,
    JSON.stringify([messages.map(({ data }) => data), members, state, status, connection]),
  );
}

function Wrong(): null {
  useChannel('room/:roomId', { roomId: '' });
  return null;
}

test('everything has something to show where nothing is connected, and nothing is asked for', async () => {
  const world = new World();
  const client = world.client({ autoConnect: false });
  const html = renderToString(createElement(RunnelProvider, { client }, createElement(App)));
  expect(html.replaceAll('&quot;', '"')).toBe('<p>[[{"text":"hi"}],[],null,"idle","idle"]</p>');
  await turn();
  expect(client.state.status).toBe('idle');
  expect(world.requests).toEqual([]);
});

test('a component without a provider above it says what is missing', () => {
  expect(() => renderToString(createElement(App))).toThrow('put <RunnelProvider client={client}> around the app');
});

test('a channel that cannot be is an error of the component that wants it', () => {
  const client = new World().client({ autoConnect: false });
  const app = createElement(RunnelProvider, { client }, createElement(Wrong));
  expect(() => renderToString(app)).toThrow(expect.objectContaining({ code: 'channel_invalid' }));
});
