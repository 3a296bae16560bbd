/** What can befall the nodes of a simulated cluster, and those who come to them. */
import type { Random, VirtualNetwork } from '@runnel/protocol/testing';
import type { AppParty } from './app-party.ts';
import type { ClusterMember, ClusterNodes } from './cluster-nodes.ts';
import type { Parties } from './parties.ts';
import type { Party } from './party.ts';
import type { VirtualPost } from './virtual-post.ts';

/** The part of a world that these faults act on. */
export interface ClusterStage<N extends ClusterMember> {
  readonly random: Random;
  readonly network: VirtualNetwork;
  readonly post: VirtualPost;
  readonly nodes: ClusterNodes<N>;
  readonly parties: Parties<Party | AppParty>;
}

export type ClusterFault = 'kill' | 'drain' | 'start' | 'cut off' | 'post' | 'join' | 'die';

/** Has a fault happen; false: it cannot, as things are. */
export function befall<N extends ClusterMember>(stage: ClusterStage<N>, fault: ClusterFault): boolean {
  const { random, nodes, network, post, parties } = stage;
  switch (fault) {
    case 'kill': {
      // Somebody has to be left.
      const mortal = nodes.open.length > 1 ? nodes.alive : nodes.alive.filter(({ edge }) => edge.draining);
      if (mortal.length === 0) return false;
      nodes.kill(random.pick(mortal));
      if (random.chance(0.7)) network.cutAll();
      return true;
    }
    case 'drain':
      if (nodes.open.length < 2) return false;
      nodes.drain(random.pick(nodes.open));
      return true;
    case 'start':
      return nodes.start();
    case 'cut off':
      nodes.cutOff(random.pick(nodes.alive), random.pick([500, 2_000, 8_000]));
      return true;
    case 'post':
      post.shake();
      return true;
    case 'join':
      return parties.join();
    case 'die':
      if (parties.living.length === 0) return false;
      random.pick(parties.living).die();
      return true;
  }
}
