import type { Contract } from '@runnel/protocol';
import { type Context, createContext, createElement, type ReactElement, useContext } from 'react';
import type { Client } from '../client.ts';
import type { Hooks, ProviderProps, UseConnectionOptions } from './hooks.ts';
import { useHandle } from './use-channel.ts';
import { useWatch } from './use-connection.ts';
import { useEventHandler } from './use-event.ts';
import { useMessageList } from './use-messages.ts';
import { usePresenceOf } from './use-presence.ts';
import { useFold } from './use-snapshot.ts';
import { useSubscriptionOf } from './use-subscription.ts';

/**
 * Makes the hooks of one contract, once for an app and outside of its components:
 * `export const { RunnelProvider, useChannel, useEvent } = createHooks<AppContract>()`.
 *
 * @typeParam C the contract, as a type
 */
export function createHooks<C extends Contract<C>>(): Hooks<C> {
  const context: ClientContext<C> = createContext<Client<C> | null>(null);
  const hooks = {
    RunnelProvider: providerOf(context),
    useClient: () => useProvided(context),
    useChannel: (pattern: string | null | undefined, ...args: readonly unknown[]) =>
      useHandle(useProvided(context), pattern, args),
    useEvent: useEventHandler,
    useMessages: useMessageList,
    usePresence: usePresenceOf,
    useSnapshot: useFold,
    useSubscription: useSubscriptionOf,
    useConnection: (options?: UseConnectionOptions) => useWatch(useProvided(context), options),
  } satisfies Record<keyof Hooks<C>, unknown>;
  // What is behind them knows no contract: its types are put on them here.
  return hooks as Hooks<C>;
}

/** One for each contract, so that an app may talk to several servers. */
type ClientContext<C extends Contract<C>> = Context<Client<C> | null>;

function providerOf<C extends Contract<C>>(context: ClientContext<C>): (props: ProviderProps<C>) => ReactElement {
  return ({ client, children }) => createElement(context.Provider, { value: client }, children);
}

function useProvided<C extends Contract<C>>(context: ClientContext<C>): Client<C> {
  const client = useContext(context);
  if (client === null) throw new TypeError('There is no client: put <RunnelProvider client={client}> around the app.');
  return client;
}
