import { z } from 'zod';
import type * as c from '../../src/contract/index.ts';
import { channel, defineContract, mergeContracts } from '../../src/contract/index.ts';
import { type AppContract, type Channels, contract } from './app-contract.ts';
import type { Assert, Equal } from './equal.ts';

const billing = defineContract({ 'invoice/:invoiceId': channel({ events: { paid: z.date() } }) });
type Billing = typeof billing;
interface BillingContract extends Billing {}
const billingContract: BillingContract = billing;

const merged = mergeContracts(contract, billingContract, { lobby: channel({ events: { said: z.string() } }) });
const pair = mergeContracts(contract, billing);

/** The contract of an app of two modules, in the form in which hovers are short. */
interface WholeContract extends c.MergedContract<[AppContract, BillingContract]> {}
export const whole: WholeContract = mergeContracts(contract, billingContract);

export type Merged = Assert<
  [
    // An intersection, so that each contract keeps its name.
    Equal<typeof whole, WholeContract>,
    Equal<c.MergedContract<[AppContract, BillingContract]>, AppContract & BillingContract>,
    Equal<c.PatternOf<WholeContract>, 'room/:roomId' | 'ticker' | 'user/:userId' | 'invoice/:invoiceId'>,
    Equal<c.PatternOf<typeof merged>, c.PatternOf<WholeContract> | 'lobby'>,
    Equal<c.PatternOf<typeof pair>, c.PatternOf<WholeContract>>,
    // What is inferred is what each contract said by itself.
    Equal<c.DefinitionOf<WholeContract, 'ticker'>, c.DefinitionOf<Channels, 'ticker'>>,
    Equal<c.EventPayload<WholeContract, 'invoice/:invoiceId', 'paid'>, string>,
    Equal<c.EventPayload<typeof merged, 'lobby', 'said'>, string>,
  ]
>;

/** It is a contract to generic code. */
declare function createServer<C extends c.Contract<C>>(contract: C): c.PatternOf<C>;
export const patterns: c.PatternOf<WholeContract> = createServer(whole);
export const all: c.PatternOf<typeof merged> = createServer(merged);

// @ts-expect-error both declare ticker
mergeContracts(contract, { ticker: channel({ events: { quote: z.number() } }) });
// @ts-expect-error the first and the third declare the same
mergeContracts(billing, contract, billingContract);
// @ts-expect-error not a channel
mergeContracts(contract, { lobby: 1 });
