/** The contract of the application world, and the channels that its clients may follow. */
import { channel, defineContract, latestBy, relay, type StandardSchema, volatile } from '@runnel/protocol';

const text: StandardSchema<string> = {
  '~standard': {
    version: 1,
    vendor: 'simulation',
    validate: (value) => (typeof value === 'string' ? { value } : { issues: [{ message: 'expected a string' }] }),
  },
};

/** The state of a channel with a snapshot: the version of each of its cells. */
export type Cells = Readonly<Record<string, number>>;

const cells: StandardSchema<Cells> = {
  '~standard': {
    version: 1,
    vendor: 'simulation',
    validate: (value) =>
      typeof value === 'object' && value !== null
        ? { value: value as Cells }
        : { issues: [{ message: 'expected an object' }] },
  },
};

/** What a quote is about, `symbol:…`; null: the text is no quote. */
export const symbolOf = (said: string): string | null => (said.includes(':') ? (said.split(':')[0] ?? null) : null);

const channels = defineContract({
  /** With a log, calls, and presence. */
  'room/:room': channel({
    events: { message: text },
    publish: { message: text },
    requests: {
      echo: { input: text, output: text },
      again: { input: text, output: text, idempotent: true },
      /** `text/length`: so many parts `text/length#i`, and then itself. */
      count: { input: text, yields: text, output: text },
    },
    presence: text,
    history: { size: 40, ttl: '1h' },
  }),
  /** Without a log. */
  'ticker/:room': channel({
    events: { message: text, typing: volatile(text) },
    publish: { message: relay, typing: relay },
  }),
  /** Of quotes a slow subscriber gets the newest per symbol, of notes all. */
  'quotes/:room': channel({
    events: { quote: latestBy(text, (said) => symbolOf(said) ?? ''), note: text },
  }),
  /** A slow subscriber gets the newest messages. */
  'feed/:room': channel({
    events: { message: text },
    history: { size: 20, ttl: '1h' },
    onSlow: 'drop-oldest',
  }),
  /** With a state, and a log beside it. Messages are `cell=version`. */
  'board/:room': channel({
    events: { set: text },
    snapshot: cells,
    history: { size: 20, ttl: '1h' },
  }),
  /** With a state, and no log. */
  'panel/:room': channel({
    events: { set: text },
    snapshot: cells,
  }),
});

type Channels = typeof channels;
export interface AppContract extends Channels {}
export const contract: AppContract = channels;

export const CHANNELS = ['room/a', 'room/b', 'ticker/a', 'quotes/a', 'feed/a', 'board/a', 'panel/a'] as const;
export type ChannelName = (typeof CHANNELS)[number];

/** Channels whose messages may be dropped for a slow subscriber, that have a state, and in which one may be present. */
export const isLossy = (name: string): boolean => name.startsWith('quotes/') || name.startsWith('feed/');
export const hasState = (name: string): boolean => name.startsWith('board/') || name.startsWith('panel/');
export const hasPresence = (name: string): boolean => name.startsWith('room/');
