export {
  type Attempt,
  type ClosingCode,
  type Code,
  type ConnectionState,
  type Contract,
  type EventMeta,
  type Gap,
  type Position,
  RunnelError,
  type SubscriptionState,
  type Transport,
  type Undeclared,
} from '@runnel/protocol';
export type { Answer, AskedName, DeclaredError, RequestArguments, RequestError, Result } from './answer.ts';
export type { ChannelOptions, ClientChannel } from './channel.ts';
export {
  type ChannelArguments,
  type Client,
  type ClientOptions,
  createClient,
  type UseOptions,
} from './client.ts';
export type { Auth, AuthContext } from './credentials.ts';
export type { Diagnosis } from './diagnosis.ts';
export type { Environment, WebSocketConstructor, WebSocketLike } from './environment.ts';
export type { History, HistoryArguments, HistoryOptions, HistoryPage } from './history.ts';
export type { ChannelMessage, EventHandler, MessageIterator, MessagesOptions } from './messages.ts';
export type { MessageObservable, MessageObserver } from './observable.ts';
export type {
  ChannelPresence,
  ClientPresence,
  Member,
  Occupancy,
  PresenceChange,
  PresenceHandler,
} from './presence.ts';
export type { SharedWorkerLike, ShareOptions } from './share/index.ts';
export type { Locks } from './share/locks.ts';
export type { Broadcast } from './share/membership.ts';
export type { Sharing } from './share/tab-session.ts';
export type { CallOptions, PublishOptions } from './shared-channels.ts';
export type { ChannelSnapshot, Snapshot, SnapshotArguments, SnapshotHandler } from './snapshot.ts';
export type { IterateOptions, StreamedAnswer } from './streamed-answer.ts';
