/** One node of the fleet world: the shipped application above sessions that go from node to node. */
import type { Identity, Limits, ServerSession } from '@runnel/protocol';
import { Type } from '@runnel/protocol';
import type { PresenceExchange, SharedLine } from '@runnel/server';
import { AppNode, type AppNodeOptions } from './app-node.ts';
import { ClusterEdge } from './cluster-edge.ts';
import type { ClusterMember } from './cluster-nodes.ts';
import type { VirtualPost } from './virtual-post.ts';

export interface FleetNodeOptions extends AppNodeOptions {
  readonly name: string;
  readonly post: VirtualPost;
  readonly limits: Limits;
  readonly newId: () => string;
  readonly onEnded: (session: ServerSession<SharedLine, Identity>, code: string) => void;
}

export class FleetNode implements ClusterMember {
  readonly app: AppNode;
  readonly edge: ClusterEdge;
  readonly #presence: PresenceExchange<Identity>;

  constructor(options: FleetNodeOptions) {
    const { name, time, random, post, coverage, newId, limits, onError } = options;
    this.app = new AppNode(options);
    const { application } = this.app;
    this.edge = new ClusterEdge({
      ...{ name, time, post, coverage, newId, limits, onError },
      authMs: () => random.int(0, 50),
      authenticate: (auth) => ({ id: String(auth) }),
      app: {
        created: (session, subs, settled) => application.created(session, subs, settled),
        frame: (session, frame) => {
          if (frame[0] === Type.request && frame[6]?.again) coverage.saw('asked again');
          application.frame(session, frame);
        },
        confirmed: (session) => application.confirmed(session),
        resumed: (session) => application.resumed(session),
        reachable: (session, reachable) => application.reachable(session, reachable),
        ended: (session, code) => {
          options.onEnded(session, code);
          application.ended(session, code);
        },
      },
      keeper: {
        handOver: (...given) => {
          coverage.saw('hand-over');
          return application.handOver(...given);
        },
        adopt: (...given) => application.adopt(...given),
        relayed: (...given) => {
          coverage.saw('relayed');
          application.relayed(...given);
        },
        callFrame: (...given) => application.callFrame(...given),
      },
      answer: (question) => application.census.answer(question),
      onNodes: (alive) => {
        this.#presence.keep(alive);
        this.edge.server.turn(() => application.keep(alive));
      },
    });
    application.census.others = { node: name, nodes: post, post: this.edge.post };
    this.#presence = application.sharePresence({
      nodes: post,
      own: () => this.edge.post.own,
      // A node that is cut off cannot enter anybody: it does when it is back.
      onError: () => {},
    });
    void this.edge.post.open();
  }

  setCutOff(isCutOff: boolean): void {
    this.edge.post.setCutOff(isCutOff);
    if (!isCutOff) this.#presence.restore();
  }

  kill(): void {
    this.app.kill();
    this.edge.kill();
  }

  leave(): void {
    this.app.kill();
    this.edge.leave();
  }
}
