export {
  type Attempt,
  type Code,
  type ConnectionState,
  type Contract,
  type EventMeta,
  type Gap,
  type Position,
  RunnelError,
  type SubscriptionState,
  type Transport,
} from '@runnel/protocol';
export type { ChannelOptions, ClientChannel, EventHandler, RequestArguments } from './channel.ts';
export {
  type ChannelArguments,
  type Client,
  type ClientOptions,
  createClient,
  type Diagnosis,
  type UseOptions,
} from './client.ts';
export type { Auth, AuthContext } from './credentials.ts';
export type { Environment, WebSocketConstructor, WebSocketLike } from './environment.ts';
export type { ClientPresence, Member } from './presence.ts';
export type { CallOptions } from './shared-channels.ts';
