import { setTimeout } from 'node:timers/promises';
import { nanoid } from 'nanoid';
import type { HistoryBounds } from '../broker.ts';
import { JETSTREAM_CODES, JetStreamError, type NatsLink } from './link.ts';
import type { NatsSubjects } from './subjects.ts';

/** What a stream says of itself, as far as it matters here. */
export interface StreamInfo {
  readonly config: StreamConfig;
  readonly state: {
    readonly first_seq: number;
    readonly last_seq: number;
    readonly num_subjects?: number;
    /** Messages by subject, of those that were asked for. */
    readonly subjects?: Readonly<Record<string, number>>;
  };
  /** Subjects that were asked for, where they come in pages. */
  readonly total?: number;
}

interface StreamConfig {
  readonly name: string;
  readonly max_age: number;
  readonly republish?: { readonly dest: string };
}

/** How a stream is to be made. */
interface StreamWish extends StreamConfig {
  readonly subjects: readonly string[];
  readonly storage: 'file' | 'memory';
  readonly num_replicas: number;
  readonly max_msgs_per_subject: number;
  readonly duplicate_window?: number;
  readonly republish?: { readonly src: string; readonly dest: string };
}

export interface StreamsOptions {
  readonly subjects: NatsSubjects;
  readonly storage: 'file' | 'memory';
  readonly replicas: number;
  readonly dedupMs: number;
  readonly leaseMs: number;
}

/** How long a stream keeps what no reader is given any more, so that it is known what was there, ms. */
const GRACE_MS = 600_000;
const NANOSECONDS = 1_000_000;
/** Attempts at something for which there is no stream, and the pause before the second; then the pauses double. */
const ATTEMPTS_MAX = 6;
const FIRST_PAUSE_MS = 10;

/**
 * The streams of a broker, made when they are needed. Channels of the same bounds are in one stream, whose limit of messages per subject is
 * each channel's. A stream bears its epoch in the subject on which it repeats what it has stored, so everybody who hears of a message
 * knows its epoch, and a stream that is made anew has another.
 */
export class NatsStreams {
  readonly #options: StreamsOptions;
  /** By name, as found over the link. */
  readonly #known = new WeakMap<NatsLink, Map<string, Promise<StreamConfig>>>();

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  /** The epoch of the log of channels with these bounds. */
  async openLog(link: NatsLink, bounds: HistoryBounds | null): Promise<string> {
    const { subjects, storage, replicas, dedupMs } = this.#options;
    const config = await this.#open(link, {
      name: subjects.logStream(bounds),
      subjects: [subjects.log(bounds)],
      storage,
      num_replicas: replicas,
      // One more than readers are given: it shows that nothing is missing before the others.
      max_msgs_per_subject: (bounds?.size ?? 0) + 1,
      max_age: Math.max((bounds?.ttlMs ?? 0) + GRACE_MS, dedupMs) * NANOSECONDS,
      duplicate_window: dedupMs * NANOSECONDS,
      republish: { src: subjects.log(bounds), dest: subjects.repeatedLog(nanoid(12)) },
    });
    return epochOf(config);
  }

  async openMembers(link: NatsLink): Promise<void> {
    const { subjects, replicas } = this.#options;
    const each = subjects.member({});
    await this.#open(link, {
      name: subjects.memberStream,
      subjects: [each],
      storage: 'memory',
      num_replicas: replicas,
      max_msgs_per_subject: 1,
      max_age: 0,
      republish: { src: each, dest: subjects.repeatedMember },
    });
  }

  async openLeases(link: NatsLink): Promise<void> {
    const { subjects, replicas, leaseMs } = this.#options;
    const wanted: StreamWish = {
      name: subjects.leaseStream,
      subjects: [subjects.lease()],
      storage: 'memory',
      num_replicas: replicas,
      max_msgs_per_subject: 1,
      max_age: leaseMs * NANOSECONDS,
    };
    const found = await this.#open(link, wanted);
    if (found.max_age !== wanted.max_age)
      await link.api(`STREAM.UPDATE.${wanted.name}`, { ...found, max_age: wanted.max_age });
  }

  async openAgreed(link: NatsLink): Promise<void> {
    const { subjects, storage, replicas } = this.#options;
    await this.#open(link, {
      name: subjects.agreedStream,
      subjects: [subjects.agreed()],
      storage,
      num_replicas: replicas,
      max_msgs_per_subject: 1,
      max_age: 0,
    });
  }

  /**
   * Runs something that needs a stream. Where there is none any more, or it is there and nobody answers for it yet, it is tried again, and
   * by then the stream may have been made anew.
   */
  async withStream<T>(link: NatsLink, stream: string, run: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await run();
      } catch (error) {
        if (!isAbsence(error) || attempt === ATTEMPTS_MAX) throw error;
        this.#known.get(link)?.delete(stream);
        await setTimeout(FIRST_PAUSE_MS * 2 ** attempt, undefined, { ref: false });
      }
    }
  }

  #open(link: NatsLink, wanted: StreamWish): Promise<StreamConfig> {
    const known = this.#known.get(link) ?? new Map<string, Promise<StreamConfig>>();
    this.#known.set(link, known);
    const { name } = wanted;
    const opened = known.get(name) ?? findOrCreate(link, wanted);
    known.set(name, opened);
    opened.catch(() => {
      if (known.get(name) === opened) known.delete(name);
    });
    return opened;
  }
}

async function findOrCreate(link: NatsLink, wanted: StreamWish): Promise<StreamConfig> {
  const { name } = wanted;
  try {
    return (await link.api<StreamInfo>(`STREAM.INFO.${name}`)).config;
  } catch (error) {
    if (!(error instanceof JetStreamError && error.code === JETSTREAM_CODES.streamNotFound)) throw error;
  }
  const config = { retention: 'limits', discard: 'old', allow_direct: true, ...wanted };
  try {
    return (await link.api<StreamInfo>(`STREAM.CREATE.${name}`, config)).config;
  } catch (error) {
    if (!(error instanceof JetStreamError && error.code === JETSTREAM_CODES.nameInUse)) throw error;
    // Another node was faster.
    return (await link.api<StreamInfo>(`STREAM.INFO.${name}`)).config;
  }
}

/** The last token of the subject that the stream repeats on. */
export const epochOf = ({ republish }: StreamConfig): string => republish?.dest.split('.').at(-1) ?? '';

const isAbsence = (error: unknown): boolean =>
  error instanceof JetStreamError &&
  (error.code === JETSTREAM_CODES.noResponders || error.code === JETSTREAM_CODES.streamNotFound);
