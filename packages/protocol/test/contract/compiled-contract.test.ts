import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { channel, compileContract, defineContract, latestBy, relay, volatile } from '../../src/contract/index.ts';
import { contract, Message, Quote, Typing } from './app-contract.ts';

const compiled = compileContract(contract);
const room = compiled.channels.get('room/:roomId');
const ticker = compiled.channels.get('ticker');
const user = compiled.channels.get('user/:userId');

describe('compileContract', () => {
  it('keeps patterns and events in the order of declaration', () => {
    expect([...compiled.channels.keys()]).toEqual(['room/:roomId', 'ticker', 'user/:userId']);
    expect(room?.events.map(({ name, index, kind }) => [name, index, kind])).toEqual([
      ['message', 0, 'counted'],
      ['typing', 1, 'volatile'],
      ['cursor', 2, 'volatile'],
    ]);
  });

  it('finds each event by its name, with its schema', () => {
    expect(room?.eventsByName.get('message')).toMatchObject({ index: 0, kind: 'counted', schema: Message });
    expect(room?.eventsByName.get('typing')).toMatchObject({ index: 1, kind: 'volatile', schema: Typing });
    expect(room?.eventsByName.get('constructor')).toBeUndefined();
  });

  it('keeps the key of a conflated event', () => {
    const quote = ticker?.eventsByName.get('quote');
    expect(quote).toMatchObject({ kind: 'latest', schema: Quote });
    expect(quote?.kind === 'latest' && quote.key({ symbol: 'ABC', price: 1 })).toBe('ABC');
  });

  it('routes what clients publish', () => {
    expect(room?.publish.get('message')).toMatchObject({ route: 'handler', volatile: false });
    expect(room?.publish.get('cursor')).toMatchObject({ route: 'handler', volatile: true });
    expect(room?.publish.get('typing')).toMatchObject({ route: 'relay', volatile: true, schema: Typing });
    expect(user?.publish.get('seen')).toMatchObject({ route: 'relay', volatile: false });
    expect([...(ticker?.publish.keys() ?? [])]).toEqual([]);
    expect(room?.publish.get('__proto__')).toBeUndefined();
  });

  it('gives a relay the event that it goes out as', () => {
    const said = latestBy(z.object({ id: z.number() }), ({ id }) => id);
    const relayed = compileContract({ a: channel({ events: { other: z.string(), said }, publish: { said: relay } }) });
    const a = relayed.channels.get('a');
    expect(a?.publish.get('said')).toMatchObject({ route: 'relay', volatile: false, event: a?.events[1] });
  });

  it('lists requests with what they declare', () => {
    const edit = room?.requests.get('edit');
    expect(edit).toMatchObject({ output: Message, yields: null, idempotent: true });
    expect([...(edit?.errors.keys() ?? [])]).toEqual(['locked', 'gone']);
    const nothing = { input: null, output: null, yields: null, idempotent: false };
    expect(room?.requests.get('leave')).toMatchObject(nothing);
    expect(room?.requests.get('ask')?.yields).not.toBeNull();
  });

  it('takes one presence schema for both, or two', () => {
    expect(room?.presence?.member).toBe(room?.presence?.input);
    expect(user?.presence?.member).not.toBe(user?.presence?.input);
    expect(ticker?.presence).toBeNull();
  });

  it('reads durations and fills in defaults', () => {
    expect(room?.history).toEqual({ size: 200, ttlMs: 3_600_000 });
    expect(user?.history).toEqual({ size: 50, ttlMs: 604_800_000 });
    expect(ticker?.history).toBeNull();
    expect([room?.onSlow, ticker?.onSlow]).toEqual(['disconnect', 'drop-oldest']);
    expect(room?.snapshot).toBeNull();
    expect(ticker?.snapshot).not.toBeNull();
  });

  it('checks a contract that was put together by hand', () => {
    const said = channel({ events: { said: z.string() } });
    const invalid = expect.objectContaining({ code: 'contract_invalid' });
    expect(() => compileContract({ 'a/:b': said, 'a/:c': said })).toThrow(invalid);
    expect(() => compileContract({})).toThrow(invalid);
    const unchecked = { kind: 'channel', definition: { events: { said: { '~standard': {} } } } } as const;
    expect(() => compileContract({ a: unchecked })).toThrow(invalid);
  });

  it('knows the names that objects inherit only where they are declared', () => {
    const events = Object.fromEntries(['__proto__', 'constructor'].map((name) => [name, volatile(z.string())]));
    const hostile = compileContract(defineContract({ constructor: channel({ events }) }));
    expect(hostile.resolve('constructor')?.channel.eventsByName.has('__proto__')).toBe(true);
    expect(hostile.resolve('toString')).toBeNull();
    expect(hostile.resolve('__proto__')).toBeNull();
  });
});

describe('a compiled contract', () => {
  it('resolves names that peers send', () => {
    expect(compiled.resolve('room/a%2Fb')).toEqual({ name: 'room/a%2Fb', params: { roomId: 'a/b' }, channel: room });
    expect(compiled.resolve('ticker')?.channel).toBe(ticker);
    expect(compiled.resolve('nowhere')).toBeNull();
    expect(compiled.resolve(7 as unknown as string)).toBeNull();
  });

  it('opens channels that the app asks for', () => {
    expect(compiled.open('room/:roomId', { roomId: 'a/b' })).toEqual(compiled.resolve('room/a%2Fb'));
  });

  it('opens no channel that is not declared, or is that of a more literal pattern', () => {
    const said = channel({ events: { said: z.string() } });
    const literal = compileContract({ 'room/:roomId': said, 'room/lobby': said });
    const invalid = expect.objectContaining({ code: 'channel_invalid' });
    expect(() => literal.open('rooms/:roomId', { roomId: 'a' })).toThrow(invalid);
    expect(() => literal.open('room/:roomId', {})).toThrow(invalid);
    expect(() => literal.open('room/:roomId', { roomId: 'lobby' })).toThrow(
      /room\/lobby is a channel of room\/lobby, not of/,
    );
    expect(literal.open('room/lobby', {}).name).toBe('room/lobby');
  });
});
