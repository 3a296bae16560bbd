import { createClient } from '@runnel/client';
import type { TickerContract } from './contract.ts';

const rows = new Map<string, HTMLTableCellElement>();
const table = document.querySelector('table') as HTMLTableElement;

function show({ symbol, price }: { symbol: string; price: number }): void {
  let cell = rows.get(symbol);
  if (cell === undefined) {
    const row = table.insertRow();
    row.insertCell().textContent = symbol;
    cell = row.insertCell();
    rows.set(symbol, cell);
  }
  cell.textContent = price.toFixed(2);
}

const client = createClient<TickerContract>('/realtime');
const ticker = client.channel('ticker');
// First the whole board, then what changes; again a whole one after a gap that could not be mended.
ticker.onSnapshot((quotes) => quotes.forEach(show));
ticker.on('quote', show);
