import type { Position, PresenceEntry, ResolvedChannel } from '@runnel/protocol';

/** How many are there. */
export interface Occupancy {
  /** Sessions that are subscribed. */
  readonly subscribers: number;
  /** Users who have entered. */
  readonly members: number;
}

/** What a channel handle reaches into. */
export interface ChannelPorts {
  broadcast(resolved: ResolvedChannel, event: string, data: unknown): Promise<Position | null>;
  members(resolved: ResolvedChannel): Promise<readonly PresenceEntry[]>;
  occupancy(resolved: ResolvedChannel): Promise<Occupancy>;
}

/** One channel, from the server's side. The types that apps see are in `server-channel.ts`. */
export class ChannelHandle {
  readonly name: string;
  readonly pattern: string;
  readonly params: { readonly [name: string]: string };
  readonly #ports: ChannelPorts;
  readonly #resolved: ResolvedChannel;
  readonly #broadcast: ChannelPorts['broadcast'];

  /** `broadcast`: on whose account it sends. Default: the server's own. */
  constructor(ports: ChannelPorts, resolved: ResolvedChannel, broadcast: ChannelPorts['broadcast'] = ports.broadcast) {
    this.#ports = ports;
    this.#resolved = resolved;
    this.#broadcast = broadcast;
    this.name = resolved.name;
    this.pattern = resolved.channel.pattern;
    this.params = resolved.params;
  }

  get presence(): { readonly members: () => Promise<readonly PresenceEntry[]> } {
    return { members: () => this.#ports.members(this.#resolved) };
  }

  broadcast(event: string, data: unknown): Promise<Position | null> {
    return this.#broadcast(this.#resolved, event, data);
  }

  occupancy(): Promise<Occupancy> {
    return this.#ports.occupancy(this.#resolved);
  }
}
