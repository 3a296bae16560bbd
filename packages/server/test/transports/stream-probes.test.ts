import type { DownFrame, Identity } from '@runnel/protocol';
import { expect, it } from 'vitest';
import type { Exchange } from '../../src/transports/exchange.ts';
import { StreamProbes } from '../../src/transports/stream-probes.ts';

/** An exchange as far as a probe goes. */
function fakeExchange() {
  const said: string[] = [];
  const exchange = {
    holder: null as { handleLeft(): void } | null,
    openBody: () => {},
    write: (bytes: Buffer) => void said.push(bytes.toString().trimEnd()),
    endBody: () => void said.push('(end)'),
    endWith: (frame: DownFrame) => void said.push(JSON.stringify(frame), '(end)'),
  };
  return { said, exchange, as: exchange as unknown as Exchange<Identity> };
}

function probes(probesMax?: number) {
  let ids = 0;
  const newId = () => {
    ids += 1;
    return `t${ids}`;
  };
  return new StreamProbes<Identity>({ probeMs: 100, newId, ...(probesMax === undefined ? {} : { probesMax }) });
}

it('has room for so many probes, and for the next when one has gone', () => {
  const desk = probes(1);
  const [first, second, third] = [fakeExchange(), fakeExchange(), fakeExchange()];
  desk.open('n', first.as, 0);
  desk.open('n', second.as, 0);
  expect(second.said).toEqual(['[15,0,5000]', '(end)']);
  first.exchange.holder?.handleLeft();
  desk.open('n', third.as, 0);
  expect(third.said).toEqual(['[7,"n","t2"]']);
});

it('ends each probe when its time is up, and not before', () => {
  const desk = probes();
  const [first, second] = [fakeExchange(), fakeExchange()];
  desk.open('n', first.as, 0);
  desk.open('n', second.as, 50);
  expect(desk.nextTimeout()).toBe(100);
  desk.handleTimeout(100);
  expect(first.said).toEqual(['[7,"n","t1"]', '[13]', '(end)']);
  expect(second.said).toHaveLength(1);
  expect(desk.nextTimeout()).toBe(150);
  desk.handleTimeout(150);
  expect(second.said.at(-1)).toBe('(end)');
  expect(desk.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
});
