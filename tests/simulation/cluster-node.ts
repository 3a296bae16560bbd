/** One node of the cluster world: numbered frames above its sessions. */
import type { Identity, ServerSession } from '@runnel/protocol';
import type { Random, VirtualTime } from '@runnel/protocol/testing';
import { type SharedLine, sharedLine } from '@runnel/server';
import { ClusterEdge } from './cluster-edge.ts';
import type { ClusterMember } from './cluster-nodes.ts';
import type { Coverage } from './coverage.ts';
import type { LedgerChecker } from './ledger-checker.ts';
import type { VirtualPost } from './virtual-post.ts';

type Session = ServerSession<SharedLine, Identity>;

export interface ClusterNodeOptions {
  readonly name: string;
  readonly time: VirtualTime;
  readonly random: Random;
  readonly post: VirtualPost;
  readonly coverage: Coverage;
  readonly ledgers: LedgerChecker;
  readonly newId: () => string;
  readonly authMs: () => number;
  readonly ttlMs: number;
  /** Frames that were sent to a session at a node which had it before, and have not come to where it is; with their sessions. */
  readonly relays: Map<number, string>;
  readonly onError: (error: unknown) => void;
  readonly onEnded: (session: Session, code: string) => void;
  readonly onBorn: (session: Session) => void;
}

export class ClusterNode implements ClusterMember {
  readonly edge: ClusterEdge;
  readonly #options: ClusterNodeOptions;

  constructor(options: ClusterNodeOptions) {
    const { name, time, post, coverage, ledgers, newId, authMs, ttlMs, onError, relays } = options;
    this.#options = options;
    this.edge = new ClusterEdge({
      ...{ name, time, post, coverage, newId, authMs, onError, limits: { ttlMs, fragmentChars: 50 } },
      app: {
        created: (session, _subs, settled) => {
          options.onBorn(session);
          settled();
        },
        frame: (session, frame) => {
          if (frame[0] === 9) ledgers.volatile(Number(frame[3]), 'the server');
          else ledgers.life(session.sid).up.take(Number(frame[1]), name);
        },
        confirmed: () => {},
        resumed: () => {},
        reachable: (session, reachable) => {
          if (reachable) ledgers.carried(session.sid, time.now);
        },
        overflowed: (session) => ledgers.excuse(session.sid, 'overflow'),
        ended: (session, code) => options.onEnded(session, code),
      },
      keeper: {
        handOver: (session, estateOptions) => {
          coverage.saw('hand-over');
          return {
            record: { subscriptions: [], calls: [], elsewhere: [], busy: [], presence: [] },
            estate: this.#estate(session, estateOptions.sendLines) as never,
          };
        },
        adopt: async () => {},
        relayed: (session, { lines }) => {
          coverage.saw('relayed');
          for (const text of lines) {
            const id = Number((JSON.parse(text) as unknown[])[1]);
            relays.delete(id);
            ledgers.life(session.sid).down.sent.push(id);
            session.enqueue(sharedLine(text));
          }
        },
        callFrame: () => {},
      },
    });
    void this.edge.post.open();
  }

  setCutOff(isCutOff: boolean): void {
    this.edge.post.setCutOff(isCutOff);
  }

  kill(): void {
    this.edge.kill();
  }

  leave(): void {
    this.edge.leave();
  }

  /** What runs on here for a session that has gone: it says something in a while. */
  #estate(session: Session, sendLines: (lines: readonly string[], open: readonly number[]) => void) {
    const { random, time } = this.#options;
    const texts: string[] = [];
    const estate = {
      relay: ({ text }: SharedLine): void => {
        if (texts.push(text) > 1) return;
        queueMicrotask(() => sendLines(texts.splice(0), []));
      },
      end: () => session.endRelay(),
      handleArrived: () => {},
      messages: async () => null,
      of: null,
    };
    for (let i = random.int(0, 2); i > 0; i -= 1) {
      time.after(random.int(0, 3_000), () => {
        if (this.edge.dead) return;
        const id = 1_000_000 + Number(this.#options.newId().slice(2));
        this.#options.relays.set(id, session.sid);
        session.enqueue(sharedLine(`[19,${id},null]`));
      });
    }
    return estate;
  }
}
