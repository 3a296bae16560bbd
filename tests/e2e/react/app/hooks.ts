import { createHooks, type Hooks } from '@runnel/client/react';
import type { ReactContract } from '../contract.ts';

const hooks: Hooks<ReactContract> = createHooks<ReactContract>();
export const { RunnelProvider, useChannel, useClient, useConnection } = hooks;
export const { useEvent, useMessages, usePresence, useSnapshot, useSubscription } = hooks;
