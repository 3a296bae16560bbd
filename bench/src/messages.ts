/** What the processes of the benchmark say to each other. */
import type { Carrier, ContenderName } from './contenders/contender.ts';
import type { LayoutShape } from './layout.ts';

/** Messages of one window. */
interface Stretch {
  /** Number of its first message. */
  readonly from: number;
  readonly payloadBytes: number;
  readonly channels: number;
}

export type ServerCommand =
  /** So many turns of the event loop with so many messages each. */
  | ({ readonly type: 'pump'; readonly turns: number; readonly perTurn: number } & Stretch)
  /** For so long, so many messages in each turn of the event loop, or every `everyMs`; each says when it was sent. Reported as `flooded`. */
  | ({ readonly type: 'flood'; readonly ms: number; readonly everyMs: number; readonly perTurn: number } & Stretch)
  /** Begins a CPU profile that is written when the process ends. */
  | { readonly type: 'profile'; readonly file: string }
  | { readonly type: 'snapshot'; readonly file: string }
  /** Collects garbage and says what remains. */
  | { readonly type: 'memory' }
  /** Ends the process in good order. */
  | { readonly type: 'stop' };

export type ServerReport =
  /** `pids`: the processes whose CPU and memory count. */
  | {
      readonly type: 'listening';
      readonly port: number;
      /** Of each node. */
      readonly ports: readonly number[];
      readonly version: string;
      readonly pids: readonly number[];
      /** Of what the nodes share. */
      readonly brokerPids: readonly number[];
    }
  | { readonly type: 'flooded'; readonly sent: number }
  | { readonly type: 'memory'; readonly heapBytes: number }
  | { readonly type: 'written' }
  | Failure;

/** Who connects to whom, and how. */
export interface CrowdShape {
  readonly contender: ContenderName;
  readonly carrier: Carrier;
  /** Of the nodes, which clients take in turn. */
  readonly ports: readonly number[];
  /** Whether they POST to another one. */
  readonly astray: boolean;
  readonly layout: LayoutShape;
  readonly deflate: boolean;
  /** Whoever connects is in channel 0, without asking for it. */
  readonly isLobby: boolean;
}

export type CallKind = 'request' | 'publish' | 'post';

export type LoadCommand =
  /** The first one; the others are about the crowd that it makes. */
  | ({ readonly type: 'crowd' } & CrowdShape)
  | { readonly type: 'connect'; readonly count: number }
  | { readonly type: 'disconnect' }
  /** Everybody subscribes to channels of his own, that nobody else is in. */
  | { readonly type: 'subscribe'; readonly perConnection: number }
  /** A window begins: so many deliveries make a burst, each of which is reported as `reached`. Null: they are only counted. */
  | ({ readonly type: 'open'; readonly burst: number | null; readonly timed: boolean } & Stretch)
  | { readonly type: 'expect'; readonly deliveries: number }
  /** The window is over. */
  | { readonly type: 'close' }
  /** Calls for so long, `inFlight` of each connection, and waits for the last answer. */
  | {
      readonly type: 'call';
      readonly kind: CallKind;
      readonly inFlight: number;
      readonly ms: number;
      readonly from: number;
      readonly payloadBytes: number;
    }
  | { readonly type: 'stop' };

export type LoadReport =
  | { readonly type: 'connected' }
  | { readonly type: 'disconnected' }
  | { readonly type: 'subscribed' }
  | { readonly type: 'opened' }
  | { readonly type: 'reached' }
  | { readonly type: 'closed'; readonly received: Received }
  | { readonly type: 'called'; readonly calls: number; readonly compared: number }
  | Failure;

/** What one contender's subscribers took in one window. */
export interface Received {
  readonly deliveries: number;
  /** Whatever it was. */
  readonly bytes: number;
  /** Messages whose content was compared. */
  readonly compared: number;
  /** Of the messages of a timed window that one subscriber got, from sending to taking, µs. */
  readonly latenciesUs: readonly number[];
}

interface Failure {
  readonly type: 'failed';
  readonly message: string;
}
