import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { channel, compileContract, defineContract, mergeContracts, volatile } from '../../src/contract/index.ts';
import { contract } from './app-contract.ts';

const said = channel({ events: { said: z.string() } });
const billing = defineContract({ 'invoice/:invoiceId': said, invoices: said });

describe('mergeContracts', () => {
  it('has the channels of all of them, in their order, and is frozen', () => {
    const merged = mergeContracts(billing, contract, { lobby: said });
    expect(Object.entries(merged)).toEqual([...Object.entries(billing), ...Object.entries(contract), ['lobby', said]]);
    expect(Object.isFrozen(merged)).toBe(true);
    expect(compileContract(merged).resolve('invoice/7')?.params).toEqual({ invoiceId: '7' });
  });

  it('takes one', () => {
    expect(mergeContracts(billing)).toEqual(billing);
  });

  it.each([
    [
      'the same pattern twice, even of the same channel',
      () => mergeContracts(billing, { lobby: said }, { invoices: said } as object as { other: typeof said }),
      'contracts 1 and 3 of mergeContracts both declare "invoices"; keep one of them',
    ],
    [
      'patterns of which neither wins over the other',
      () => mergeContracts(billing, { 'invoice/:id': said }),
      'bad pattern "invoice/:id": "invoice/:invoiceId" matches the same channels',
    ],
    [
      'what channel() did not make',
      () => mergeContracts(billing, { lobby: volatile(z.string()) } as object as { lobby: typeof said }),
      '"lobby" is not a channel: declare it with channel({…})',
    ],
    ['nothing', () => mergeContracts(), 'the contract is empty: declare at least one channel'],
  ])('refuses %s', (_, merge, message) => {
    expect(merge).toThrow(expect.objectContaining({ code: 'contract_invalid', message }));
  });

  it('lets a literal pattern of one contract win over a parameter of another', () => {
    const merged = compileContract(mergeContracts(billing, { 'invoice/latest': said }));
    expect(merged.resolve('invoice/latest')?.channel.pattern).toBe('invoice/latest');
    expect(merged.resolve('invoice/1')?.channel.pattern).toBe('invoice/:invoiceId');
  });
});
