/**
 * What tabs and their host say to one another on the broadcast channel that they share, as plain data.
 *
 * Anything of the origin may post there: whatever is not one of these is ignored. Other versions of these messages have a channel of another name.
 */
import type {
  AppDownFrame,
  AttachSub,
  Attempt,
  ConnectionState,
  SessionState,
  Transport,
  WelcomeLimits,
} from '@runnel/protocol';
import type { SwitchboardState } from './switchboard.ts';

/** Changes with anything in this file that another version would not understand. */
export const VERSION = 1;

/** Names a tab for as long as it takes part. */
export type TabId = string;

/** Where a host is. */
export type Place = 'tab' | 'worker';

/** From a tab to the host. */
export type ToHost =
  /** Takes part from here on, with what it wants to be subscribed to. Answered by `welcome`. */
  | { readonly kind: 'join'; readonly from: TabId; readonly subs: readonly AttachSub[] }
  /** Counted frames, of which the first is the tab's `n`th, from 0, and the incarnation that they are for. Answered by `taken`. */
  | {
      readonly kind: 'up';
      readonly from: TabId;
      readonly life: string;
      readonly n: number;
      readonly frames: readonly string[];
    }
  /** Frames that may be lost. */
  | { readonly kind: 'loose'; readonly from: TabId; readonly frames: readonly string[] }
  /** The network or the page may have come back. */
  | { readonly kind: 'wake'; readonly from: TabId }
  /** Answered by `alive`. */
  | { readonly kind: 'ping'; readonly from: TabId }
  | { readonly kind: 'use'; readonly from: TabId; readonly choice: Transport | 'auto' }
  /** Fresh ones, for every attach from here on. */
  | { readonly kind: 'credentials'; readonly from: TabId; readonly auth: unknown }
  /** The answer to `ask`; `error`: they could not be had, and why. */
  | { readonly kind: 'auth'; readonly from: TabId; readonly q: number; readonly auth: unknown; readonly error?: string }
  | { readonly kind: 'bye'; readonly from: TabId; readonly reason: string };

/** What is known of the connection beside its state. */
export interface LinkFacts {
  readonly client: string | null;
  readonly limits: WelcomeLimits | null;
  readonly roundTripMs: number | null;
  readonly counts: Readonly<Record<'framesUp' | 'framesDown' | 'resumes' | 'attaches', number>>;
  readonly tabs: number;
}

/** One thing that a tab is told, in the order in which it happened. */
export type News =
  /** The tab takes part, in the incarnation `life`. */
  | readonly ['welcome', life: string, place: Place]
  | readonly ['facts', LinkFacts]
  | readonly ['state', ConnectionState]
  | readonly ['attempt', Attempt]
  /** PROTOCOL §7.8: the incarnation is over; the next one is `life`. */
  | readonly ['lost', life: string]
  /** A welcome was adopted; `subs` are those of the tab that a new incarnation has been asked for; null when it resumed. */
  | readonly ['attached', subs: readonly AttachSub[] | null]
  | readonly ['frame', AppDownFrame]
  /** How many of the tab's counted frames were taken. */
  | readonly ['taken', number]
  | readonly ['alive']
  /** Find out the credentials, and answer with `auth`. */
  | readonly ['ask', q: number, refresh: boolean];

/** From the host to tabs. */
export type ToTabs =
  /** This is the host from here on; `taken`: the tabs of the host before, if the incarnation `life` goes on, and what was taken from each. */
  | {
      readonly kind: 'here';
      readonly host: string;
      readonly place: Place;
      readonly life: string;
      readonly taken: readonly (readonly [TabId, number])[];
    }
  | {
      readonly kind: 'down';
      readonly host: string;
      /** To some tabs, or to all. */
      readonly news: readonly (readonly [to: readonly TabId[] | null, News])[];
    }
  /** The host goes, and whoever is next carries the session on. */
  | { readonly kind: 'handOver'; readonly host: string; readonly state: HostState };

export interface HostState {
  readonly session: SessionState;
  readonly switchboard: SwitchboardState;
}

type Fields = { readonly [name: string]: unknown };

const isText = (value: unknown): value is string => typeof value === 'string';
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** An entry of an attach's `subs`. */
export const isSub = (value: unknown): boolean =>
  isList(value) && isCount(value[0]) && isText(value[1]) && isFields(value[2]) && isFields(value[2]['since'] ?? {});

const TO_HOST: { readonly [kind in ToHost['kind']]: (message: Fields) => boolean } = {
  join: ({ subs }) => isList(subs) && subs.every(isSub),
  up: ({ life, n, frames }) => isText(life) && isCount(n) && isTexts(frames),
  loose: ({ frames }) => isTexts(frames),
  wake: () => true,
  ping: () => true,
  use: ({ choice }) => isText(choice),
  credentials: () => true,
  auth: ({ q }) => isCount(q),
  bye: ({ reason }) => isText(reason),
};

const TO_TABS: { readonly [kind in ToTabs['kind']]: (message: Fields) => boolean } = {
  here: ({ life, taken }) => isText(life) && isList(taken) && taken.every(isList),
  down: ({ news }) => isList(news) && news.every((entry) => isList(entry) && isList(entry[1])),
  handOver: ({ state }) => isFields(state) && isFields(state['session']) && isFields(state['switchboard']),
};

/** Null for what is none. */
export function readToHost(data: unknown): ToHost | null {
  if (!isFields(data)) return null;
  const { from } = data;
  return isText(from) && checks(TO_HOST, data) ? (data as ToHost) : null;
}

/** Null for what is none. */
export function readToTabs(data: unknown): ToTabs | null {
  if (!isFields(data)) return null;
  const { host } = data;
  return isText(host) && checks(TO_TABS, data) ? (data as ToTabs) : null;
}

type Table = { readonly [kind: string]: (message: Fields) => boolean };

function checks(table: Table, data: Fields): boolean {
  const { kind } = data;
  return isText(kind) && Object.hasOwn(table, kind) && table[kind]?.(data) === true;
}

/** The frame that a tab has sent; empty for what is none. */
export function readFrame(text: string): readonly unknown[] {
  try {
    const frame: unknown = JSON.parse(text);
    return Array.isArray(frame) ? frame : [];
  } catch {
    return [];
  }
}
