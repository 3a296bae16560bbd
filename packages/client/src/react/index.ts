'use client';

export type { Connection } from './connection-watch.ts';
export { createHooks } from './create-hooks.ts';
export type {
  ChannelWith,
  Hooks,
  MaybeChannelArguments,
  Presence,
  ProviderProps,
  Reducers,
  UseChannel,
  UseConnectionOptions,
  UseMessagesOptions,
  UsePresenceOptions,
} from './hooks.ts';
