/**
 * One channel that tabs have in common: at the server there is one subscription, which is never replaced for the sake of one tab, for what came meanwhile
 * would be lost to the others where the channel keeps no history. A tab that comes later is served from what is known here, and by `Backlog` where it
 * wants something of the past.
 */
import {
  type AppDownFrame,
  type AttachSub,
  type PresenceEntry,
  type RunnelError,
  type Subscribed,
  type SubscribeOptions,
  Type,
} from '@runnel/protocol';
import { Backlog, type LogOpening } from './backlog.ts';
import type { TabId } from './messages.ts';

/** What comes for a channel, by its number. */
export type ChannelFrame = Extract<AppDownFrame, readonly [9 | 16 | 23 | 24 | 25, ...unknown[]]>;

export interface ChannelPorts {
  /** Sends a frame up. */
  readonly push: (frame: readonly unknown[]) => void;
  readonly tell: (tabs: readonly TabId[], frame: AppDownFrame) => void;
  /** Asks the server; rejects with its error, or because the incarnation is lost. */
  readonly ask: (channel: string, method: string, data: unknown) => Promise<unknown>;
}

/** A tab in the channel. *asked*: it waits for the answer to the one subscription; *reading*: for what it wants of the past; *live*: it gets what comes. */
export interface Member {
  /** Of its subscribe. */
  readonly id: number;
  from: SubscribeOptions;
  phase: 'asked' | 'reading' | 'live';
  /** What came while it was reading. */
  held: ChannelFrame[];
}

/** The channel as the server has it. */
interface Live extends Omit<Subscribed, 'presence'> {
  n: number;
  /** Of the last message that came, or where the subscription began. */
  offset: number;
  /** Of the newest message that is known of. */
  head: number;
}

export interface CommonChannelState {
  readonly name: string;
  readonly members: readonly (readonly [TabId, Member])[];
  readonly asked: AttachSub | null;
  readonly live: Live | null;
  readonly present: readonly PresenceEntry[] | null;
  readonly entered: readonly (readonly [TabId, unknown])[];
  readonly declares: CommonChannel['declares'];
}

/** The number of no channel. */
const NOWHERE = -1;
/** Frames that are kept for one tab while it is reading. */
const HELD_MAX = 1_000;

export class CommonChannel {
  readonly name: string;
  readonly #ports: ChannelPorts;
  readonly #members: Map<TabId, Member>;
  /** The subscribe that went up last; null where none did in this incarnation. */
  #asked: AttachSub | null;
  /** Null before the answer. */
  #live: Live | null;
  /** Who is present, where the channel has that. */
  #present: Map<string, PresenceEntry> | null;
  /** With what each tab has entered, the last one at the end: of a session the server knows only that. */
  readonly #entered: Map<TabId, unknown>;
  /** What the contract is known to declare; null: not known yet. */
  readonly declares: { history: boolean | null; snapshot: boolean | null };

  constructor(name: string, ports: ChannelPorts, state?: CommonChannelState) {
    this.name = name;
    this.#ports = ports;
    this.#members = new Map(state?.members);
    this.#asked = state?.asked ?? null;
    this.#live = state?.live ?? null;
    this.#present = state?.present ? new Map(state.present.map((entry) => [entry.id, entry])) : null;
    this.#entered = new Map(state?.entered);
    this.declares = state?.declares ?? { history: null, snapshot: null };
  }

  get state(): CommonChannelState {
    const { name, declares } = this;
    return {
      name,
      declares,
      members: [...this.#members].map(([tab, member]) => [tab, { ...member, held: [] }]),
      asked: this.#asked,
      live: this.#live,
      present: this.#present && [...this.#present.values()],
      entered: [...this.#entered],
    };
  }

  get n(): number | null {
    return this.#live?.n ?? null;
  }
  get asked(): AttachSub | null {
    return this.#asked;
  }
  get live(): Live | null {
    return this.#live;
  }
  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  member(tab: TabId): Member | undefined {
    return this.#members.get(tab);
  }

  // ——— tabs come and go ———

  /** A tab wants the channel; an earlier wish of it is replaced. */
  join(tab: TabId, id: number, from: SubscribeOptions): void {
    const member: Member = { id, from, phase: 'asked', held: [] };
    this.#members.set(tab, member);
    if (this.#live !== null) this.#serve(tab, member, this.#live);
  }

  /** Whoever was reading begins again: the answers went to the host before. */
  restart(): void {
    for (const [tab, member] of this.#members) {
      if (member.phase === 'reading' && this.#live !== null) this.#serve(tab, member, this.#live);
    }
  }

  /** A tab wants it no more, and is not present in it either. */
  leave(tab: TabId): void {
    if (this.#members.delete(tab) && !this.isEmpty && this.exit(tab)) this.#quietly('$leave', null);
  }

  /** A tab enters with `data`, or with other data. Returns what takes that back, where the server refuses it. */
  enter(tab: TabId, data: unknown): () => void {
    const before = this.#entered.get(tab);
    const had = this.#entered.delete(tab);
    this.#entered.set(tab, data);
    return () => {
      if (this.#entered.get(tab) !== data) return;
      if (had) this.#entered.set(tab, before);
      else this.#entered.delete(tab);
    };
  }

  /** A tab is not present any more. True: nobody is, and the server has to know; otherwise it shows what the last one has entered with. */
  exit(tab: TabId): boolean {
    const last = [...this.#entered.keys()].at(-1);
    if (!this.#entered.delete(tab)) return false;
    const shown = [...this.#entered].at(-1);
    if (shown !== undefined && last === tab) this.#quietly('$enter', shown[1]);
    return shown === undefined;
  }

  /** Whether other tabs than this one are present. */
  othersEntered(tab: TabId): boolean {
    return [...this.#entered.keys()].some((other) => other !== tab);
  }

  #quietly(method: string, data: unknown): void {
    // No tab has asked for it. Where it fails with the session, the tabs enter anew.
    this.#ports.ask(this.name, method, data).catch(() => {});
  }

  // ——— the one subscription ———

  /** What to subscribe with: from where the tabs stand, or as the first of them wants. */
  get from(): SubscribeOptions {
    const [first] = this.#members.values();
    return first?.from ?? {};
  }

  /** A subscribe is under way. */
  ask(sub: AttachSub): void {
    this.#asked = sub;
  }

  /** The incarnation is over: everyone waits for the next subscription, from where they stand. */
  lost(): void {
    const live = this.#live;
    const since = live && { epoch: live.epoch, offset: live.offset };
    this.#asked = this.#live = this.#present = null;
    this.#entered.clear();
    // Those that were live go first: all of them want the same.
    const members = [...this.#members].sort(([, a], [, b]) => Number(b.phase === 'live') - Number(a.phase === 'live'));
    this.#members.clear();
    for (const [tab, member] of members) {
      if (member.phase === 'live' && since !== null) member.from = { since };
      member.phase = 'asked';
      member.held = [];
      this.#members.set(tab, member);
    }
  }

  handleSubscribed(answer: Subscribed): void {
    const asked = JSON.stringify(this.#asked?.[2]);
    const { presence, ...live } = answer;
    this.#live = { ...live };
    this.#present = presence ? new Map(presence.map((entry) => [entry.id, entry])) : null;
    for (const [tab, member] of this.#members) {
      // PROTOCOL §5.17: the session has moved, and goes on.
      if (member.phase === 'live') this.#ports.tell([tab], [Type.subscribed, member.id, answer]);
      else if (member.phase === 'asked' && JSON.stringify(member.from) === asked) this.#admit(tab, member, answer);
      else this.#serve(tab, member, this.#live);
    }
  }

  /** The session has another node, where another channel has the number: what comes under it is not for this one. */
  displace(): void {
    if (this.#live !== null) this.#live.n = NOWHERE;
  }

  /** The subscription was refused, or revoked, of which `retryable: null` says nothing: everyone hears of it, and asks again on their own. */
  fail(code: string, message: string, retryable: boolean | null): void {
    const n = retryable === null ? this.n : null;
    for (const [tab, { id, phase }] of this.#members) {
      const isRevoked = n !== null && phase === 'live';
      this.#ports.tell(
        [tab],
        isRevoked ? [Type.revoked, n, code, message] : [Type.error, id, code, message, retryable ?? false],
      );
    }
    this.#members.clear();
  }

  handle(frame: ChannelFrame): void {
    const live = this.#live;
    if (live === null) return;
    if (frame[0] === Type.message) live.offset = typeof frame[2] === 'number' ? frame[2] : frame[2][0];
    else if (frame[0] === Type.skipped) live.offset = Math.max(live.offset, frame[3]);
    else if (frame[0] === Type.presence) this.#note(frame[2].joined, frame[2].left);
    else if (frame[0] === Type.snapshot) this.declares.snapshot = true;
    live.head = Math.max(live.head, live.offset);
    const tabs: TabId[] = [];
    for (const [tab, member] of this.#members) {
      if (member.phase === 'live') tabs.push(tab);
      // Who is present, and the state, it is told at the end.
      else if (member.phase === 'reading' && frame[0] < Type.presence) this.#hold(tab, member, frame);
    }
    if (tabs.length > 0) this.#ports.tell(tabs, frame);
  }

  #note(joined: readonly PresenceEntry[] = [], left: readonly string[] = []): void {
    for (const entry of joined) this.#present?.set(entry.id, entry);
    for (const id of left) this.#present?.delete(id);
  }

  #hold(tab: TabId, member: Member, frame: ChannelFrame): void {
    member.held.push(frame);
    if (member.held.length > HELD_MAX)
      this.#refuse(tab, member, 'overloaded', 'more came than is held meanwhile', true);
  }

  // ——— a tab that comes later ———

  #serve(tab: TabId, member: Member, live: Live): void {
    const { since, rewind = 0 } = member.from;
    const { epoch, offset, head } = live;
    if (since !== undefined && since.epoch === epoch && since.offset >= offset) {
      // All that it has not had is yet to come.
      this.#admit(tab, member, { ...live, offset: since.offset, recovered: true });
    } else if (since === undefined && rewind === 0 && this.declares.snapshot === false) {
      this.#admit(tab, member, { ...live, offset: head, recovered: null });
    } else {
      member.phase = 'reading';
      member.held = [];
      const backlog = new Backlog({
        from: member.from,
        position: { epoch, offset },
        head,
        events: live.events,
        n: live.n,
        declares: this.declares,
        ask: (method, data) => this.#ports.ask(this.name, method, data),
      });
      const isWanted = (): boolean =>
        this.#members.get(tab) === member && member.phase === 'reading' && this.#live === live;
      backlog.read().then(
        (opening) => isWanted() && this.#open(tab, member, live, opening),
        ({ code, message, retryable }: RunnelError) =>
          isWanted() && this.#refuse(tab, member, code, message, retryable),
      );
    }
  }

  #open(tab: TabId, member: Member, live: Live, { frames, ...start }: LogOpening): void {
    const { held } = member;
    member.held = [];
    this.#admit(tab, member, { ...live, ...start });
    for (const frame of [...frames, ...held]) this.#ports.tell([tab], frame);
  }

  #admit(tab: TabId, member: Member, { n, epoch, offset, head, recovered, events }: Subscribed): void {
    member.phase = 'live';
    const presence = this.#present === null ? {} : { presence: [...this.#present.values()] };
    this.#ports.tell([tab], [Type.subscribed, member.id, { n, epoch, offset, head, recovered, events, ...presence }]);
  }

  #refuse(tab: TabId, { id }: Member, code: string, message: string, retryable: boolean): void {
    this.leave(tab);
    this.#ports.tell([tab], [Type.error, id, code, message, retryable]);
  }
}
