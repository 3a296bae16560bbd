export { Application, type ApplicationOptions } from './application.ts';
export type {
  Broker,
  BrokerListener,
  BrokerPublishOptions,
  BrokerWatcher,
  HistoryBounds,
  LogEntry,
  LogRead,
  NewEntry,
  ReadQuery,
} from './brokers/broker.ts';
export { type ChannelFeed, Followers } from './brokers/followers.ts';
export { type MemoryBrokerOptions, type MemoryBrokerStep, memoryBroker } from './brokers/memory.ts';
export type {
  BrokerNode,
  BrokerNodes,
  NodeListener,
  NodeMember,
  PresenceAnnouncement,
} from './brokers/nodes.ts';
export type { Action, AuthorizeRequest, SessionInfo } from './channels/access.ts';
export type { Occupancy } from './channels/channel-handle.ts';
export type {
  HandlerContext,
  Handlers,
  LeaveContext,
  PresenceContext,
  PublishContext,
  RequestContext,
  SnapshotContext,
} from './channels/handlers.ts';
export type { Member, ServerChannel, ServerPresence } from './channels/server-channel.ts';
export type { EstateNews, TakeAnswer } from './cluster/departures.ts';
export {
  type HandOverQuestion,
  HandOvers,
  type HandOversOptions,
  type SessionKeeper,
} from './cluster/hand-overs.ts';
export { Post, type Question } from './cluster/post.ts';
export type { PresenceExchange } from './cluster/presence-exchange.ts';
export type { CompressionOptions } from './compression.ts';
export type { Clock } from './driver.ts';
export type { AttachRequest } from './handshake.ts';
export type { AttachMiddleware } from './middlewares.ts';
export type { Origins } from './origin.ts';
export type { ErrorContext, OnError } from './reporter.ts';
export {
  type AuthenticateContext,
  createServer,
  type RunnelServer,
  type ServerCloseOptions,
  type ServerIdentity,
  type ServerOptions,
  type ServerStats,
  type ServerUser,
} from './server.ts';
export { SharedLine, sharedLine } from './shared-line.ts';
