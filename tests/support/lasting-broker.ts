import type { Broker } from '@runnel/server';

/** The broker, with an end of its own: that of a server which uses it does not close it. */
export function lasting(broker: Broker): Broker {
  return {
    publish: (channel, entry, options) => broker.publish(channel, entry, options),
    send: (channel, entry) => broker.send(channel, entry),
    read: (channel, query) => broker.read(channel, query),
    heads: (channels) => broker.heads(channels),
    subscribe: (channel, listener) => broker.subscribe(channel, listener),
    unsubscribe: (channel, listener) => broker.unsubscribe(channel, listener),
    close: async () => {},
  };
}
