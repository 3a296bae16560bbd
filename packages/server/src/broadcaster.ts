import {
  type CompiledEvent,
  encodeData,
  type Position,
  type ResolvedChannel,
  RunnelError,
  validateOrThrow,
} from '@runnel/protocol';
import { isPending } from './awaitable.ts';
import type { Broker } from './brokers/broker.ts';
import type { Encoder } from './encoder.ts';
import type { Reporter } from './reporter.ts';

/** Whose publish a broadcast comes from; nothing for one of the server's own. */
export interface Origin {
  /** Public name of the session. */
  readonly by?: string;
  readonly idempotencyKey?: string;
}

export interface BroadcasterOptions {
  readonly broker: Broker;
  readonly encoder: Encoder;
  readonly reporter: Reporter;
}

/** Brings messages to a channel: checked, encoded once, and through the broker, whoever sends them. */
export class Broadcaster {
  readonly #broker: Broker;
  readonly #encoder: Encoder;
  readonly #reporter: Reporter;

  constructor({ broker, encoder, reporter }: BroadcasterOptions) {
    this.#broker = broker;
    this.#encoder = encoder;
    this.#reporter = reporter;
  }

  /**
   * Sends what the server says. Resolves when the broker has accepted it: to its position, or to null for a volatile event.
   * Calls of one turn keep their order as long as the schema is a synchronous one.
   */
  broadcast(resolved: ResolvedChannel, name: string, data: unknown, origin: Origin): Promise<Position | null> {
    const fail = (error: unknown): never => {
      this.#reporter.report(error, { during: 'broadcast', channel: resolved.name, event: name });
      throw error;
    };
    try {
      return this.#prepare(resolved, name, data, origin)?.then(undefined, fail) ?? Promise.resolve(null);
    } catch (error) {
      return new Promise(() => fail(error));
    }
  }

  /**
   * Sends a value that was checked. Null for a volatile event: nobody answers for it.
   *
   * @throws RunnelError `payload_too_large`, or `validation_failed` for a value that no line can carry
   */
  send(resolved: ResolvedChannel, event: CompiledEvent, value: unknown, origin: Origin): Promise<Position> | null {
    const data = encodeData(value);
    if (event.kind === 'volatile') this.#encoder.checkVolatileSize(data, subject(resolved, event));
    else this.#encoder.checkSize(data, subject(resolved, event));
    const entry = { event: event.name, data, by: origin.by, key: this.#keyOf(resolved, event, value) };
    if (event.kind === 'volatile') {
      this.#broker.send(resolved.name, entry);
      return null;
    }
    const { history } = resolved.channel;
    const { idempotencyKey } = origin;
    return this.#broker.publish(resolved.name, entry, { history, idempotencyKey }).then(undefined, notAccepted);
  }

  #prepare(resolved: ResolvedChannel, name: string, data: unknown, origin: Origin): Promise<Position | null> | null {
    const event = resolved.channel.eventsByName.get(name);
    if (event === undefined) {
      const shown = JSON.stringify(String(name).slice(0, 64));
      throw this.#reporter.own(
        new RunnelError('unknown_event', `${resolved.channel.pattern} declares no event ${shown}`),
      );
    }
    try {
      const checked = validateOrThrow(event.schema, data, subject(resolved, event));
      if (!isPending(checked)) return this.send(resolved, event, checked, origin);
      return Promise.resolve(checked).then((value) => this.#sendOwn(resolved, event, value, origin), this.#disown);
    } catch (error) {
      return this.#disown(error);
    }
  }

  /** PROTOCOL §5.23. The key is the app's own code: where that fails the app is told, and nothing takes the message's place. */
  #keyOf({ name: channel }: ResolvedChannel, event: CompiledEvent, value: unknown): string | undefined {
    if (event.kind !== 'latest') return undefined;
    try {
      const key = event.key(value);
      if (typeof key === 'string' || Number.isFinite(key)) return JSON.stringify(key);
      throw new TypeError(`the latestBy key of event ${event.name} must be a string or a finite number, not ${key}`);
    } catch (error) {
      this.#reporter.report(error, { during: 'broadcast', channel, event: event.name });
      return undefined;
    }
  }

  #sendOwn(resolved: ResolvedChannel, event: CompiledEvent, value: unknown, origin: Origin): Promise<Position> | null {
    try {
      return this.send(resolved, event, value, origin);
    } catch (error) {
      return this.#disown(error);
    }
  }

  /** What the server itself sent wrong is not for clients to hear of. */
  readonly #disown = (error: unknown): never => {
    throw RunnelError.is(error) ? this.#reporter.own(error) : error;
  };
}

function notAccepted(cause: unknown): never {
  if (RunnelError.is(cause)) throw cause;
  throw new RunnelError('broker_failed', 'the broker did not accept the message', { cause });
}

const subject = ({ name }: ResolvedChannel, event: CompiledEvent): string => `event ${event.name} of ${name}`;
