import type { ReactNode } from 'react';
import { useChannel, useSnapshot } from './hooks.ts';

type State = Readonly<Record<string, number>>;

function text(state: State | undefined): string {
  if (state === undefined) return 'unknown';
  return Object.entries(state)
    .map(([symbol, price]) => `${symbol} ${price}`)
    .sort()
    .join(', ');
}

export function Prices(): ReactNode {
  const ticker = useChannel('ticker');
  const state = useSnapshot(ticker, { quote: (prices, { symbol, price }) => ({ ...prices, [symbol]: price }) });
  return <output data-testid="prices">{text(state)}</output>;
}

/** The same state, folded otherwise. */
export function Highs(): ReactNode {
  const ticker = useChannel('ticker');
  const state = useSnapshot(ticker, {
    quote: (highs, { symbol, price }) => ({ ...highs, [symbol]: Math.max(price, highs[symbol] ?? 0) }),
  });
  return <output data-testid="highs">{text(state)}</output>;
}
