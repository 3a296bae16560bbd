import { encodeFrame } from '@runnel/protocol';
import { World } from '../world.ts';

/** A world that can say of a channel that its subscription goes on where it was, or that it does not. */
export class RecoveringWorld extends World {
  /** Null: channels are subscribed as for the first time. */
  recovered: boolean | null = null;

  override subscribe(...[session, id, name]: Parameters<World['subscribe']>): void {
    const channel = this.channels.get(name);
    if (this.recovered === null || channel === undefined) return super.subscribe(session, id, name);
    channel.sessions.add(session);
    const { n, offset } = channel;
    const { recovered } = this;
    const events = name === 'ticker' ? ['quote'] : ['message', 'typing'];
    const text = encodeFrame([17, id, { n, epoch: 'e', offset, head: offset, recovered, events }]);
    session.enqueue({ text, size: text.length + 1 });
  }
}
