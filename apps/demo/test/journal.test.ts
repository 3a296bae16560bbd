import type { Attempt, Transport } from '@runnel/client';
import { beforeEach, expect, it } from 'vitest';
import { Journal } from '../src/journal.ts';

let journal: Journal;
let attempts: Attempt[];
const tally = { received: 0, missing: 0, repeated: 0, disordered: 0 };

beforeEach(() => {
  Object.assign(tally, { received: 0, missing: 0, repeated: 0, disordered: 0 });
  journal = new Journal(() => ({ ...tally }));
  attempts = [];
});

function take(at: number, transport: Transport | null): void {
  const state = transport === null ? 'reconnecting' : 'open';
  journal.take({ at, state, transport, reason: '', attempts: [...attempts] });
}

function lose(at: number, transport: Transport, reason: string): void {
  attempts.push({ at: 0, transport, step: 'live', outcome: 'failed', tookMs: at, reason });
}

const texts = () => journal.entries().map(({ text }) => text);
const episode = () => journal.entries().find(({ tone }) => tone === 'episode')?.text;

it('tells of a network change from the silence to the way back, and that nothing was lost', () => {
  take(1_000, 'websocket');
  journal.happened(10_000, 'The network changed');
  take(11_400, 'poll');
  expect(texts().slice(0, 3)).toEqual([
    'The network changed: WebSocket went silent, polling took over after 1.4 s, polling carries on; no message was due',
    'On polling',
    'WebSocket went silent',
  ]);
  tally.received = 12;
  take(16_000, 'websocket');
  take(18_000, 'websocket');
  expect(texts()[0]).toBe(
    'The network changed: WebSocket went silent, polling took over after 1.4 s, back on WebSocket after 6.0 s; no message was lost: 12 received, in order',
  );
  journal.happened(30_000, 'The network changed');
  tally.received = 13;
  expect(texts()[1]).toContain('12 received');
});

it('admits what is missing, and what came twice', () => {
  take(1_000, 'websocket');
  journal.happened(2_000, 'The network changed');
  Object.assign(tally, { received: 10, missing: 2 });
  expect(episode()).toMatch(/2 of 12 messages are missing$/);
  Object.assign(tally, { missing: 0, repeated: 1 });
  expect(episode()).toMatch(/1 of 10 messages came twice or out of order$/);
});

it('begins an episode by itself where a link is lost', () => {
  take(1_000, 'websocket');
  lose(5_000, 'websocket', 'the connection broke');
  take(5_000, null);
  expect(texts()[0]).toBe('The link was lost: WebSocket was cut, nothing carries the session; no message was due');
  take(5_250, 'poll');
  expect(texts()).toContain('On polling, 250 ms after the loss');
});

it('keeps an episode open for as long as the network is spoilt', () => {
  take(1_000, 'websocket');
  journal.struck(2_000, 'Cut every 2 s');
  for (const at of [3_000, 5_000, 7_000]) {
    lose(at, 'websocket', 'the connection broke');
    take(at + 100, 'websocket');
  }
  take(20_000, 'websocket');
  expect(journal.entries()[0]?.tone).toBe('episode');
  expect(episode()).toContain('3 links lost, the longest gap 100 ms');
  journal.mended(21_000);
  take(21_500, 'websocket');
  journal.happened(22_000, 'The network changed');
  expect(texts().slice(0, 2)).toEqual([
    'The network changed: WebSocket carries on; no message was due',
    'Cut every 2 s: 3 links lost, the longest gap 100 ms, back on WebSocket after 5.1 s; no message was due',
  ]);
});

it('says so where a link has not noticed', () => {
  take(1_000, 'websocket');
  journal.happened(2_000, 'The machine slept');
  take(9_000, 'websocket');
  expect(texts()[0]).toBe('The machine slept: WebSocket did not notice; no message was due');
});

it('takes a step down that was asked for as no accident', () => {
  take(1_000, 'websocket');
  journal.chosen(2_000, 'poll');
  take(2_100, 'poll');
  expect(texts()).toEqual(['On polling', 'Told to use polling', 'On WebSocket']);
});

it('tells once, with their number, of attempts that fail again and again', () => {
  for (const at of [0, 1_000, 2_000])
    attempts.push({ at, transport: 'poll', step: 'attach', outcome: 'failed', tookMs: 9, reason: 'unreadable: <' });
  take(3_000, null);
  expect(journal.entries()).toEqual([
    { at: 2_009, tone: 'plain', text: "Polling was answered by somebody in the server's place", count: 3 },
  ]);
});
