/** `GET <path>/events`: channels for readers without the SDK, like `EventSource` and `curl` (PROTOCOL §11). */
import { type Attach, type Code, type Identity, PROTOCOL_VERSION, RunnelError, Type } from '@runnel/protocol';
import type { AttachRefusal } from '../authenticator.ts';
import type { Edge } from './edge.ts';
import { type EventQuery, readEventQuery } from './event-query.ts';
import { EventReader } from './event-reader.ts';
import type { Exchange } from './exchange.ts';

/** PROTOCOL §11.3. Whatever else may happen is the server's failure. */
export const EVENT_STATUSES: ReadonlyMap<string, number> = new Map<Code, number>([
  ['channel_invalid', 400],
  ['protocol_error', 400],
  ['unauthorized', 401],
  ['forbidden', 403],
  ['forbidden_origin', 403],
  ['kicked', 403],
  ['transport_unavailable', 404],
  ['unknown_channel', 404],
  ['limit_reached', 429],
  ['broker_failed', 503],
  ['overloaded', 503],
  ['server_closing', 503],
  ['timeout', 503],
]);

export interface EventFeedOptions<I extends Identity> {
  readonly edge: Edge<I>;
  /** A name of at most 64 characters that nobody can guess. */
  readonly newId: () => string;
}

interface Denial {
  readonly status?: number;
  readonly retryMs?: number;
  readonly headers?: readonly string[];
}

export class EventFeed<I extends Identity> {
  readonly #edge: Edge<I>;
  readonly #newId: () => string;

  constructor({ edge, newId }: EventFeedOptions<I>) {
    this.#edge = edge;
    this.#newId = newId;
  }

  /** Never throws; always answers. */
  handle(exchange: Exchange<I>): void {
    const { call, origin } = exchange;
    this.#edge.intake.discard(call);
    const { closingRetryMs, origins, transports } = this.#edge;
    if (origin === 'refused') {
      return deny(exchange, new RunnelError('forbidden_origin', origins.reasonFor(call.headers)));
    }
    if (call.method === 'OPTIONS') return exchange.preflight('GET');
    if (call.method !== 'GET') {
      const error = new RunnelError('protocol_error', 'events are read with GET');
      return deny(exchange, error, { status: 405, headers: ['Allow', 'GET, OPTIONS'] });
    }
    if (closingRetryMs !== null) {
      const error = new RunnelError('server_closing', 'the server is closing');
      return deny(exchange, error, { retryMs: closingRetryMs });
    }
    if (!transports.has('stream')) {
      return deny(exchange, new RunnelError('transport_unavailable', 'transport stream is not offered'));
    }
    try {
      this.#open(exchange, readEventQuery(call.url, call.headers));
    } catch (error) {
      if (!RunnelError.is(error)) throw error;
      deny(exchange, error);
    }
  }

  #open(exchange: Exchange<I>, query: EventQuery): void {
    this.#edge.judge(exchange, { auth: undefined, gen: 1 }, (said) => {
      if ('refusal' in said) return denyAttach(exchange, said.refusal);
      this.#attach(exchange, query, said.identity);
    });
  }

  #attach(exchange: Exchange<I>, query: EventQuery, identity: I): void {
    const subs = [[1, query.channel, query.from]] as const;
    const attach: Attach = { v: PROTOCOL_VERSION, cid: this.#newId(), gen: 1, rx: 0, mode: 'stream', subs };
    const opening = this.#edge.openingOf(exchange);
    const refuse = (error: RunnelError, retryMs: number): void => deny(exchange, told(error), { retryMs });
    const done = this.#edge.turn((now) => {
      const { link } = new EventReader<I>({ edge: this.#edge, exchange, query, refuse }, now);
      this.#edge.admit({ attach, identity, carrier: { link }, opening }, now);
    });
    if (done) return;
    deny(exchange, new RunnelError('internal', 'the server failed'));
    exchange.endBody();
  }
}

/** A session that was never heard of has waited for its subscription. */
function told(error: RunnelError): RunnelError {
  return error.code === 'session_lost' ? new RunnelError('timeout', 'the channel did not answer in time') : error;
}

function denyAttach<I extends Identity>(exchange: Exchange<I>, refusal: AttachRefusal): void {
  if (refusal[0] === Type.retry) {
    const [, , retryMs] = refusal;
    return deny(exchange, new RunnelError('timeout', 'the credentials were not checked in time'), { retryMs });
  }
  const [, code, reason, retryMs] = refusal;
  deny(exchange, new RunnelError(code, reason), { retryMs });
}

/** Answers with the error as JSON. */
function deny<I extends Identity>(
  exchange: Exchange<I>,
  { code, message }: RunnelError,
  { status = EVENT_STATUSES.get(code) ?? 500, retryMs = 0, headers = [] }: Denial = {},
): void {
  const later = status === 503 && retryMs > 0 ? ['Retry-After', String(Math.ceil(retryMs / 1_000))] : [];
  const body = Buffer.from(`${JSON.stringify({ code, message })}\n`);
  exchange.answer(status, 'application/json', body, [...headers, ...later]);
}
