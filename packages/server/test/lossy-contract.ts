import { channel, defineContract, latestBy } from '@runnel/protocol';
import { count, schema, text } from './schemas.ts';

export interface Quote {
  readonly symbol: string | number;
  readonly price: number;
}

type Keyed = Quote & { readonly key: () => string | number };

/** Out: a quote with a key that its wire form does not have; `!` has none, and that of `?` is not fit to be one. */
const Priced = schema<Keyed, Quote>((value) => {
  const { symbol, price } = value as Quote;
  if (typeof price !== 'number') throw new Error('expected a price');
  const key = (): unknown => {
    if (symbol === '!') throw new Error('no key');
    return symbol === '?' ? {} : symbol;
  };
  return Object.defineProperty({ symbol, price }, 'key', { value: key, enumerable: false }) as Keyed;
});

/** What may be dropped for a slow consumer, with a log and without, and what may not. */
const channels = defineContract({
  prices: channel({
    events: {
      quote: latestBy(Priced, (quote) => quote.key()),
      bid: latestBy(Priced, (bid) => bid.key()),
      trade: count,
    },
    history: { size: 1_000, ttl: '1h' },
  }),
  ticker: channel({ events: { quote: latestBy(Priced, (quote) => quote.key()), trade: count } }),
  feed: channel({ events: { item: count }, onSlow: 'drop-oldest' }),
  kept: channel({ events: { item: count }, onSlow: 'drop-oldest', history: { size: 1_000, ttl: '1h' } }),
  plain: channel({ events: { item: text } }),
});

type Channels = typeof channels;
export interface LossyContract extends Channels {}
export const lossyContract: LossyContract = channels;
