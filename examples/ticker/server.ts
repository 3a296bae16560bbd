import { createServer } from '@runnel/server';
import { serve } from '../serve.ts';
import { contract } from './contract.ts';

const prices = new Map([
  ['ACME', 120],
  ['GLOBEX', 48],
  ['INITECH', 9.5],
  ['UMBRELLA', 310],
]);

const realtime = createServer({ contract, authenticate: () => ({ id: 'anyone' }) });
realtime.handle('ticker', {
  open: true,
  snapshot: () => [...prices].map(([symbol, price]) => ({ symbol, price })),
});

const ticker = realtime.channel('ticker');
setInterval(() => {
  for (const [symbol, price] of prices) {
    const next = Math.max(1, price * (1 + (Math.random() - 0.5) / 50));
    prices.set(symbol, next);
    void ticker.broadcast('quote', { symbol, price: next });
  }
}, 100).unref();

await serve(realtime, import.meta.url);
