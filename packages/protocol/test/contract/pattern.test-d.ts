import { formatChannel, type ParamNames, type ParamsTuple, type PatternParams } from '../../src/contract/index.ts';
import type { Assert, Equal } from './equal.ts';

export type Params = Assert<
  [
    Equal<ParamNames<'ticker'>, never>,
    Equal<PatternParams<'room/:roomId'>, { readonly roomId: string }>,
    Equal<PatternParams<'a/:b/c/:d'>, { readonly b: string; readonly d: string }>,
    Equal<PatternParams<':a/:b/:c'>, { readonly a: string; readonly b: string; readonly c: string }>,
    Equal<ParamsTuple<'ticker'>, []>,
    Equal<ParamsTuple<'room/:roomId'>, [params: { readonly roomId: string }]>,
    Equal<ParamsTuple<'ticker' | 'room/:roomId'>, [] | [params: { readonly roomId: string }]>,
  ]
>;

export const names: string[] = [
  formatChannel('ticker', {}),
  formatChannel('a/:b/c/:d', { b: '1', d: '2' }),
  // @ts-expect-error the pattern has no such parameter
  formatChannel('room/:roomId', { room: 'lobby' }),
  // @ts-expect-error a parameter is missing
  formatChannel('a/:b/c/:d', { b: '1' }),
  // @ts-expect-error a parameter is a string
  formatChannel('room/:roomId', { roomId: 1 }),
];
