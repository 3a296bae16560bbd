import type { Msg } from '@nats-io/transport-node';
import { escapedName, unescapedName } from '../escaped-name.ts';
import { type LeasedMember, type LeaseStore, type Leases, nodeOf } from '../leases.ts';
import type { LinkKeeper } from '../link-keeper.ts';
import type { PresenceAnnouncement } from '../nodes.ts';
import { JETSTREAM_CODES, JetStreamError, type NatsLink } from './link.ts';
import { readAll } from './log-reader.ts';
import type { NatsStreams, StreamInfo } from './streams.ts';
import type { NatsSubjects } from './subjects.ts';

export interface NatsLeasesOptions {
  readonly links: LinkKeeper<NatsLink>;
  readonly streams: NatsStreams;
  readonly subjects: NatsSubjects;
}

type Hear = (text: string, from: string) => void;

/**
 * Leases, members and inboxes in NATS. A lease is a message that the server drops when it has not been renewed in time; a member is the last
 * message of a subject of its own, empty once it has left, and then removed.
 */
export class NatsLeases implements LeaseStore {
  readonly #options: NatsLeasesOptions;
  /** By topic. */
  readonly #inboxes = new Map<string, Hear>();
  /** Sequence numbers of this process's leases, of their last renewal. */
  readonly #renewals = new Map<string, number>();
  /** Leases that ran, or had members, and were not swept; null until it has been looked for them. */
  #seen: Set<string> | null = null;

  constructor(options: NatsLeasesOptions) {
    this.#options = options;
  }

  /** The topics of those who listen. */
  get inboxes(): Iterable<string> {
    return this.#inboxes.keys();
  }

  async take(lease: string): Promise<void> {
    const sequence = await this.#onLeases((link) => link.publish(this.#options.subjects.lease(lease), ''));
    this.#renewals.set(lease, sequence);
  }

  async renew(lease: string): Promise<boolean> {
    const last = String(this.#renewals.get(lease) ?? 0);
    const sequence = await this.#onLeases(async (link) => {
      try {
        const headers = { 'Nats-Expected-Last-Subject-Sequence': last };
        return await link.publish(this.#options.subjects.lease(lease), '', headers);
      } catch (error) {
        if (error instanceof JetStreamError && error.code === JETSTREAM_CODES.wrongLast) return null;
        throw error;
      }
    });
    if (sequence !== null) this.#renewals.set(lease, sequence);
    return sequence !== null;
  }

  async leases(): Promise<Leases> {
    const { subjects } = this.#options;
    const running = await this.#onLeases(async (link) =>
      (await subjectsOf(link, subjects.leaseStream, subjects.lease())).map((subject) => subjects.leaseOf(subject)),
    );
    this.#seen ??= new Set(
      await this.#onMembers(async (link) =>
        (await subjectsOf(link, subjects.memberStream, subjects.member({}))).map((one) => subjects.memberOf(one).lease),
      ),
    );
    for (const lease of running) this.#seen.add(lease);
    const runs = new Set(running);
    return { running, dead: [...this.#seen].filter((lease) => !runs.has(lease)) };
  }

  async sweep(lease: string): Promise<void> {
    const { subjects } = this.#options;
    await this.#onMembers((link) => purge(link, subjects.memberStream, { filter: subjects.member({ lease }) }));
    await this.#onLeases((link) => purge(link, subjects.leaseStream, { filter: subjects.lease(lease) }));
    this.#seen?.delete(lease);
    this.#renewals.delete(lease);
  }

  async enter({ data, ...entry }: Parameters<LeaseStore['enter']>[0]): Promise<void> {
    await this.#onMembers((link) => link.publish(this.#options.subjects.member(entry), data), data.length);
  }

  async leave(entry: Parameters<LeaseStore['leave']>[0]): Promise<void> {
    const { subjects } = this.#options;
    const subject = subjects.member(entry);
    await this.#onMembers(async (link) => {
      const sequence = await link.publish(subject, '');
      await purge(link, subjects.memberStream, { filter: subject, seq: sequence + 1 });
    });
  }

  members(channel: string): Promise<readonly (LeasedMember & { readonly data: string })[]> {
    const { subjects } = this.#options;
    return this.#onMembers(async (link) => {
      const found = await readAll(link, { stream: subjects.memberStream, subject: subjects.member({ channel }) });
      return found.flatMap((message) => {
        const data = message.string();
        return data === '' ? [] : [{ ...subjects.memberOf(message.subject), data }];
      });
    });
  }

  names(channel: string): Promise<readonly LeasedMember[]> {
    const { subjects } = this.#options;
    return this.#onMembers(async (link) =>
      (await subjectsOf(link, subjects.memberStream, subjects.member({ channel }))).map((one) =>
        subjects.memberOf(one),
      ),
    );
  }

  async listen(node: string, hear: Hear): Promise<void> {
    const { links, subjects } = this.#options;
    const topic = subjects.inbox(node);
    this.#inboxes.set(topic, hear);
    await links.subscribe(topic);
  }

  stopListening(node: string): void {
    const { links, subjects } = this.#options;
    const topic = subjects.inbox(node);
    if (this.#inboxes.delete(topic)) links.unsubscribe(topic);
  }

  send({ to, from, text, unheard }: Parameters<LeaseStore['send']>[0]): void {
    const { links, subjects } = this.#options;
    links.tell((link) => link.tell(subjects.inbox(to), `${escapedName(from)}\n${text}`, unheard));
  }

  get steadyMs(): number {
    return this.#options.links.steadyMs;
  }

  isListening(node: string): Promise<boolean> {
    const { links, subjects } = this.#options;
    return links.call((link) => link.isHeard(subjects.inbox(node)));
  }

  agree(name: string, proposal: string): Promise<string> {
    const { links, streams, subjects } = this.#options;
    const subject = subjects.agreed(name);
    return links.call((link) =>
      streams.withStream(link, subjects.agreedStream, async () => {
        await streams.openAgreed(link);
        try {
          await link.publish(subject, proposal, { 'Nats-Expected-Last-Subject-Sequence': '0' });
          return proposal;
        } catch (error) {
          if (!(error instanceof JetStreamError && error.code === JETSTREAM_CODES.wrongLast)) throw error;
        }
        const agreed = await link.get(subjects.agreedStream, { last_by_subj: subject });
        return agreed?.string() ?? proposal;
      }),
    );
  }

  /** Something came on a topic that is no channel's. */
  hear(topic: string, message: Msg): void {
    const text = message.string();
    // It was only asked whether somebody listens.
    if (text === '') return;
    const end = text.indexOf('\n');
    this.#inboxes.get(topic)?.(text.slice(end + 1), unescapedName(text.slice(0, end)));
  }

  /** Of a message that the stream of members has repeated. */
  announcementOf(message: Msg): PresenceAnnouncement {
    const { lease, member } = this.#options.subjects.memberOf(message.subject);
    return { node: nodeOf(lease), member, data: message.string() || null };
  }

  #onLeases<T>(run: (link: NatsLink) => Promise<T>): Promise<T> {
    const { links, streams, subjects } = this.#options;
    return links.call((link) =>
      streams.withStream(link, subjects.leaseStream, async () => {
        await streams.openLeases(link);
        return run(link);
      }),
    );
  }

  #onMembers<T>(run: (link: NatsLink) => Promise<T>, length = 0): Promise<T> {
    const { links, streams, subjects } = this.#options;
    return links.call(
      (link) =>
        streams.withStream(link, subjects.memberStream, async () => {
          await streams.openMembers(link);
          return run(link);
        }),
      length,
    );
  }
}

async function purge(link: NatsLink, stream: string, request: object): Promise<void> {
  await link.api(`STREAM.PURGE.${stream}`, request);
}

/** The subjects of which a stream has a message. */
async function subjectsOf(link: NatsLink, stream: string, filter: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (;;) {
    const request = { subjects_filter: filter, offset: found.length };
    const { state, total = 0 } = await link.api<StreamInfo>(`STREAM.INFO.${stream}`, request);
    const page = Object.keys(state.subjects ?? {});
    found.push(...page);
    if (page.length === 0 || found.length >= total) return found;
  }
}
