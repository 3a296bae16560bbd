import { expect, it } from 'vitest';
import { Deliveries } from '../src/deliveries.ts';

it('counts from what came first, kind by kind', () => {
  const deliveries = new Deliveries();
  for (const n of [812, 813, 814]) deliveries.take('lobby', n);
  for (const n of [0, 1]) deliveries.take('pulse', n);
  expect(deliveries.tally()).toEqual({ received: 5, missing: 0, repeated: 0, disordered: 0 });
});

it('sees what is missing, repeated and out of order', () => {
  const deliveries = new Deliveries();
  for (const n of [5, 6, 6, 9, 8]) deliveries.take('lobby', n);
  expect(deliveries.tally()).toEqual({ received: 4, missing: 1, repeated: 1, disordered: 1 });
});

it('keeps what was counted of a kind that begins again', () => {
  const deliveries = new Deliveries();
  for (const n of [5, 6]) deliveries.take('lobby', n);
  deliveries.forget('lobby');
  deliveries.take('lobby', 1);
  expect(deliveries.tally()).toEqual({ received: 3, missing: 0, repeated: 0, disordered: 0 });
});

it('does not take older messages that were asked for later for lost ones', () => {
  const deliveries = new Deliveries();
  for (const n of [50, 51, 10, 11]) deliveries.take('lobby', n);
  expect(deliveries.tally()).toEqual({ received: 2, missing: 0, repeated: 0, disordered: 0 });
});
