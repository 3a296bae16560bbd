import { channel, defineContract, latestBy } from '@runnel/protocol';
import { z } from 'zod';

const Quote = z.object({ symbol: z.string(), price: z.number() });

const channels = defineContract({
  ticker: channel({
    // A browser that cannot keep up gets the newest quote of each symbol, not all of them.
    events: { quote: latestBy(Quote, (quote) => quote.symbol) },
    snapshot: z.array(Quote),
  }),
});

type Channels = typeof channels;
export interface TickerContract extends Channels {}
export const contract: TickerContract = channels;
