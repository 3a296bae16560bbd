import type { Attempt, Transport } from '@runnel/client';
import type { Tally } from './contract.ts';
import { Episode } from './episode.ts';
import { shortDuration } from './time-text.ts';
import { failureOfAttempt, isBetter, lossText, transportNames } from './transport-text.ts';

/** What is known of the connection at one moment. */
export interface JournalSample {
  readonly at: number;
  readonly state: 'connecting' | 'open' | 'reconnecting' | 'closed';
  readonly reason: string;
  readonly transport: Transport | null;
  readonly attempts: readonly Attempt[];
}

export interface JournalEntry {
  readonly at: number;
  readonly tone: 'good' | 'bad' | 'plain' | 'episode';
  readonly text: string;
  /** How often it happened: what is tried again and again is told once. */
  readonly count: number;
}

const entriesMax = 60;
/** How long a choice may take to come about. */
const chosenMs = 10_000;
/** The same among so many entries counts as again. */
const againAmong = 8;

/** What has happened to the connection, as a person would tell it. Everything takes its clock as an argument. */
export class Journal {
  readonly #tally: () => Tally;
  // Oldest first; an episode stands where it ended.
  #entries: JournalEntry[] = [];
  // What the attempts told so far.
  #told = new Set<Attempt>();
  #transport: Transport | null = null;
  #state: JournalSample['state'] | null = null;
  // When the link was lost; null while there is one.
  #lostAt: number | null = null;
  // Whether the network is spoilt on purpose.
  #spoilt = false;
  // When somebody chose a transport: what follows is no accident.
  #chosenAt = Number.NEGATIVE_INFINITY;
  #episode: Episode | null = null;

  /** @param tally what has come so far of what is numbered */
  constructor(tally: () => Tally) {
    this.#tally = tally;
  }

  /** Newest first, and before all the episode that is not over. */
  entries(): JournalEntry[] {
    const going = this.#episode === null ? [] : [episodeEntry(this.#episode, this.#tally())];
    return [...going, ...this.#entries.slice().reverse()];
  }

  /** Something outside has happened that the connection may suffer from. */
  happened(at: number, title: string): void {
    if (this.#episode === null) this.#begin(at, title);
    else this.#note(at, 'plain', title);
  }

  /** The network is spoilt on purpose. */
  struck(at: number, title: string): void {
    this.#spoilt = true;
    this.#begin(at, title);
  }

  mended(at: number): void {
    if (!this.#spoilt) return;
    this.#spoilt = false;
    this.#note(at, 'plain', 'The network is left alone again');
  }

  chosen(at: number, choice: Transport | 'auto'): void {
    this.#chosenAt = at;
    this.#note(at, 'plain', choice === 'auto' ? 'Left to choose for itself' : `Told to use ${transportNames[choice]}`);
  }

  take(sample: JournalSample): void {
    const { at, attempts, state, transport, reason } = sample;
    const fresh = attempts.filter((attempt) => !this.#told.has(attempt));
    this.#told = new Set(attempts);
    for (const attempt of fresh) this.#tell(attempt);
    if (transport !== null && transport !== this.#transport) this.#carried(at, transport);
    this.#transport = transport;
    if (state === 'closed' && this.#state !== 'closed') this.#note(at, 'bad', `Closed: ${reason}`);
    this.#state = state;
    this.#episode?.settle(at, !this.#spoilt);
    if (this.#episode?.isOver === true) this.#endEpisode();
  }

  #tell(attempt: Attempt): void {
    const { transport, step, outcome, tookMs, reason } = attempt;
    const at = attempt.at + tookMs;
    const name = sentence(transportNames[transport]);
    if (outcome === 'ok') return;
    if (step !== 'live') this.#note(at, 'plain', `${name} ${failureOfAttempt(attempt)}`);
    else if (reason !== 'superseded') this.#lost(at, transport, reason, ` after ${shortDuration(tookMs)}`);
  }

  #lost(at: number, transport: Transport, reason: string, after: string): void {
    if (this.#episode === null) this.#begin(at, 'The link was lost', transport);
    this.#note(at, 'bad', `${sentence(transportNames[transport])} ${lossText(reason)}${after}`);
    this.#episode?.lost(at, transport, reason);
    this.#lostAt = at;
    this.#transport = null;
  }

  #carried(at: number, transport: Transport): void {
    const chosen = at - this.#chosenAt < chosenMs;
    // A session steps down only from a link that it doubts, or because it was told to.
    if (this.#transport !== null && isBetter(this.#transport, transport) && !chosen) {
      if (this.#episode === null) this.#begin(at, 'The link was lost');
      this.#episode?.doubted(at, this.#transport);
      this.#note(at, 'bad', `${sentence(transportNames[this.#transport])} went silent`);
    }
    const tone = chosen ? 'plain' : 'good';
    this.#chosenAt = Number.NEGATIVE_INFINITY;
    const after =
      this.#lostAt === null || this.#lostAt >= at ? '' : `, ${shortDuration(at - this.#lostAt)} after the loss`;
    this.#note(at, tone, `On ${transportNames[transport]}${after}`);
    this.#lostAt = null;
    this.#episode?.carried(at, transport);
  }

  #begin(at: number, title: string, transport = this.#transport): void {
    this.#endEpisode();
    this.#episode = new Episode({ at, title, transport, tally: this.#tally() });
  }

  #endEpisode(): void {
    if (this.#episode !== null) this.#add(episodeEntry(this.#episode, this.#tally()));
    this.#episode = null;
  }

  #note(at: number, tone: JournalEntry['tone'], text: string): void {
    const again = this.#entries.slice(-againAmong).find((entry) => tone === 'plain' && entry.text === text);
    this.#entries = this.#entries.filter((entry) => entry !== again);
    this.#add({ at, tone, text, count: (again?.count ?? 0) + 1 });
  }

  #add(entry: JournalEntry): void {
    this.#entries = [...this.#entries, entry].slice(-entriesMax);
  }
}

function episodeEntry(episode: Episode, tally: Tally): JournalEntry {
  return { at: episode.at, tone: 'episode', text: sentence(episode.text(tally)), count: 1 };
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
