/**
 * What nodes that share a broker know of one another: who is alive, what one tells another, and who is present where.
 *
 * A node holds a *lease* for as long as it is heard of. When the lease runs out the node counts as dead, and everything under the lease
 * goes with it: that is how the members of a dead node leave (SESSION N8). A node that was only cut off takes another lease when it is
 * back, and enters its members again by itself.
 */

/** What a node hears of the others. No method throws. */
export interface NodeListener {
  /** Somebody has sent this node a message. */
  message(text: string, from: string): void;
  /** Who is alive has changed: all of them, this node included, sorted. Members of nodes that are no longer named have left. */
  nodes(nodes: readonly string[]): void;
}

/** Somebody's presence in a channel, by way of one node. */
export interface NodeMember {
  readonly node: string;
  readonly member: string;
  readonly data: string;
}

/** A member came, or has other data; or left, with `data` null. */
export interface PresenceAnnouncement {
  readonly node: string;
  readonly member: string;
  readonly data: string | null;
}

/** One node's lease. Calls reject with `broker_failed`. */
export interface BrokerNode {
  readonly name: string;
  /**
   * Tells a node something: at most once, in the order of sending from one node to another, and without a word where nobody is there.
   *
   * @throws RangeError for more than 524,288 bytes of UTF-8
   */
  send(to: string, text: string): void;
  /** Puts a member into a channel, or changes its data; listeners of the channel hear of it. It stays while the lease does. */
  enter(channel: string, member: string, data: string): Promise<void>;
  leave(channel: string, member: string): Promise<void>;
  /** Gives the lease back with all that is under it. */
  close(): Promise<void>;
}

export interface BrokerNodes {
  /** Takes a lease under a name that no other node has. */
  join(name: string, listener: NodeListener): Promise<BrokerNode>;
  /** The nodes that are alive, sorted. */
  list(): Promise<readonly string[]>;
  /** Who is in a channel, by way of which living node; nobody comes first or last. */
  members(channel: string): Promise<readonly NodeMember[]>;
  /** How many different members are in a channel, without their data. */
  occupancy(channel: string): Promise<number>;
  /** What all nodes share under a name: the value that one of them has proposed first. It stays for as long as the broker keeps anything. */
  agree(name: string, proposal: string): Promise<string>;
}

/** Of one message to a node, UTF-8. */
export const INBOX_BYTES_MAX = 524_288;

/** @throws RangeError for a text that is too long for a node's inbox */
export function checkInboxText(text: string): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > INBOX_BYTES_MAX) {
    throw new RangeError(`A message to a node has at most ${INBOX_BYTES_MAX} bytes, not ${bytes}: send it in parts.`);
  }
}

/** Members told apart by name only. */
export function countMembers(members: Iterable<{ readonly member: string }>): number {
  const names = new Set<string>();
  for (const { member } of members) names.add(member);
  return names.size;
}
