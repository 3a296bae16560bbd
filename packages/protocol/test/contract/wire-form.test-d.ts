import type { Unsendable, WireForm, WireInput } from '../../src/contract/index.ts';
import type { Assert, Equal } from './equal.ts';

interface Tree {
  readonly at: Date;
  readonly children: readonly Tree[];
}
interface TreeOnTheWire {
  readonly at: string;
  readonly children: readonly TreeOnTheWire[];
}
type Branded = string & { readonly brand: unique symbol };
type Plain = { a: string; b?: number; c: readonly (boolean | null)[]; d: { [key: string]: number } };

export type DownToClients = Assert<
  [
    Equal<WireForm<Plain>, Plain>,
    Equal<WireForm<Branded>, Branded>,
    Equal<WireForm<unknown>, unknown>,
    Equal<WireForm<'a' | 1 | true | null>, 'a' | 1 | true | null>,
    Equal<WireForm<Date>, string>,
    Equal<WireForm<{ at: Date; by?: Date }>, { at: string; by?: string }>,
    Equal<WireForm<{ at: Date | null } | { none: true }>, { at: string | null } | { none: true }>,
    Equal<WireForm<[Date, ...number[]]>, [string, ...number[]]>,
    Equal<WireForm<Record<string, Date>>, Record<string, string>>,
    Equal<WireForm<{ toJSON(): { at: Date } }>, { at: string }>,
    Equal<WireForm<Uint8Array>, Uint8Array>,
    Equal<WireForm<{ bytes: Uint8Array }>, { bytes: Uint8Array }>,
    Equal<WireForm<{ a: number | undefined; at: Date }>, { a: number | undefined; at: string }>,
    Equal<WireForm<(number | undefined)[]>, (number | null)[]>,
    Equal<WireForm<undefined>, null>,
    Equal<WireForm<{ n: bigint }>, { n: Unsendable<'bigint'> }>,
    Equal<WireForm<Map<string, number>>, Unsendable<'Map'>>,
    Equal<WireForm<ReadonlySet<string>>, Unsendable<'Set'>>,
    Equal<WireForm<{ run: () => void }>, { run: Unsendable<'function'> }>,
    Equal<WireForm<symbol>, Unsendable<'symbol'>>,
    Equal<WireForm<Float64Array>, Unsendable<'bytes other than Uint8Array'>>,
    Equal<WireForm<ArrayBuffer>, Unsendable<'bytes other than Uint8Array'>>,
    Equal<WireForm<Tree>['children'][number]['at'], string>,
    WireForm<Tree> extends TreeOnTheWire ? true : false,
  ]
>;

export type UpFromClients = Assert<
  [
    Equal<WireInput<Plain>, Plain>,
    Equal<WireInput<unknown>, unknown>,
    Equal<WireInput<undefined>, undefined>,
    Equal<WireInput<{ at: Date }>, { at: Unsendable<'Date'> }>,
    Equal<WireInput<string | Date>, string | Unsendable<'Date'>>,
    Equal<WireInput<{ n?: bigint }>, { n?: Unsendable<'bigint'> }>,
    Equal<WireInput<{ bytes: Uint8Array }>, { bytes: Uint8Array }>,
  ]
>;

// `any` opts out of checking, here as everywhere.
// biome-ignore lint/suspicious/noExplicitAny: what an app's schema may infer to
export type OptedOut = Assert<[Equal<WireForm<any>, any>, Equal<WireInput<any>, any>]>;
