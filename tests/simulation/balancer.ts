/** A load balancer that knows no sessions: each socket and each request goes to any node that is open. */
import type { Random, ServerEnd, Sink, VirtualSocketEnd } from '@runnel/protocol/testing';
import type { Alarm } from './alarm.ts';
import type { ClusterEdge } from './cluster-edge.ts';

export interface BalancerOptions {
  readonly random: Random;
  readonly alarm: Alarm;
  /** Those behind it that live. */
  readonly edges: () => readonly ClusterEdge[];
}

export class Balancer implements ServerEnd {
  readonly #options: BalancerOptions;

  constructor(options: BalancerOptions) {
    this.#options = options;
  }

  openSocket(sink: Sink): VirtualSocketEnd {
    const { alarm } = this.#options;
    const edge = this.#next();
    const end = edge.server.openSocket(fromLiving(edge, sink));
    return {
      message: (text) => {
        if (!edge.dead) alarm.guard(() => end.message(text));
      },
      closed: () => {
        if (!edge.dead) alarm.guard(() => end.closed());
      },
    };
  }

  request(body: string, sink: Sink): () => void {
    const edge = this.#next();
    const gone = edge.server.request(body, fromLiving(edge, sink));
    return () => {
      if (!edge.dead) gone();
    };
  }

  #next(): ClusterEdge {
    const { random, edges } = this.#options;
    const open = edges().filter(({ draining }) => !draining);
    return random.pick(open.length > 0 ? open : edges());
  }
}

/** A dead node says nothing more. */
const fromLiving = (edge: ClusterEdge, sink: Sink): Sink => ({
  lines: (lines) => {
    if (!edge.dead) sink.lines(lines);
  },
  end: () => {
    if (!edge.dead) sink.end();
  },
});
