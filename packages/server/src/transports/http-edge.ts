/**
 * Everything that comes as an HTTP request: polls, POSTs, streams, and what is none of ours (PROTOCOL §6). All go to one URL as POSTs; the first line of the
 * body says what it is. The content type is not looked at: `text/plain` is only what keeps browsers from preflighting, and what a proxy or framework has
 * written over it changes nothing about the bytes.
 */
import { isUtf8 } from 'node:buffer';
import {
  type Attach,
  type Identity,
  LineReader,
  type PollHeader,
  type PostHeader,
  RunnelError,
  readUp,
  type SizedFrame,
  Type,
  type UpFrame,
} from '@runnel/protocol';
import type { Forward } from '../cluster/cluster.ts';
import type { BodyOutcome } from './body-intake.ts';
import type { Edge } from './edge.ts';
import type { Exchange, ExchangeHolder } from './exchange.ts';
import { StreamPort } from './stream-port.ts';
import type { StreamProbes } from './stream-probes.ts';

/** When a client is to come again whose session could not be reached for the moment, ms. */
const RETRY_MS = 300;

export class HttpEdge<I extends Identity> implements ExchangeHolder<I> {
  readonly #edge: Edge<I>;
  readonly #probes: StreamProbes<I>;

  constructor(edge: Edge<I>, probes: StreamProbes<I>) {
    this.#edge = edge;
    this.#probes = probes;
  }

  /** A request on our path. Never throws; always answers. */
  handle(exchange: Exchange<I>): void {
    const { call, origin } = exchange;
    if (origin === 'refused') {
      const reason = this.#edge.origins.reasonFor(call.headers);
      return this.#turnAway(exchange, { status: 403, code: 'forbidden_origin', reason });
    }
    if (call.method === 'POST') return this.#edge.intake.read(call, (body) => this.#handleBody(exchange, body));
    if (call.method === 'OPTIONS') {
      exchange.preflight('POST');
      return this.#edge.intake.discard(call);
    }
    if (call.method === 'GET' || call.method === 'HEAD') {
      // A proxy has taken the upgrade out of a handshake; said at once, or the client would wait for its time-out.
      return this.#turnAway(exchange, {
        status: 426,
        code: 'transport_unavailable',
        reason: 'only a WebSocket handshake may be a GET',
        headers: call.keepsAlive ? ['Connection', 'Upgrade', 'Upgrade', 'websocket'] : [],
      });
    }
    this.#turnAway(exchange, {
      status: 405,
      code: 'protocol_error',
      reason: 'only POST is understood',
      headers: ['Allow', 'POST, OPTIONS'],
    });
  }

  /** A poll, or an attach by poll, was given up. */
  handleLeft(exchange: Exchange<I>): void {
    this.#edge.turn((now) => this.#edge.registry.handleAnswerClosed(exchange, now));
  }

  /** Answers without having read the body, which is then read for the connection's sake. */
  #turnAway(exchange: Exchange<I>, refusal: Parameters<Exchange<I>['refuse']>[0]): void {
    const { intake } = this.#edge;
    const last = intake.isHopeless(exchange.call);
    exchange.refuse({ ...refusal, last });
    if (!last) intake.discard(exchange.call);
  }

  #handleBody(exchange: Exchange<I>, body: BodyOutcome): void {
    if ('bytes' in body) return this.#handleBytes(exchange, body.bytes);
    if (body.refused === 'cut_off') return;
    const { refused, left } = body;
    if (refused === 'overloaded') {
      const reason = 'too many bodies are on their way';
      return exchange.refuse({ status: 503, code: 'overloaded', reason, retryMs: 1_000, last: left });
    }
    const reason = `a body is larger than ${this.#edge.limits.requestBodyBytes} bytes`;
    exchange.refuse({ status: 413, code: 'frame_too_large', reason, last: left });
  }

  #handleBytes(exchange: Exchange<I>, bytes: Buffer): void {
    const { closingRetryMs, limits } = this.#edge;
    if (closingRetryMs !== null) {
      const reason = 'the server is closing';
      return exchange.refuse({ status: 503, code: 'server_closing', reason, retryMs: closingRetryMs, last: true });
    }
    const unreadable = (reason: string) => exchange.refuse({ status: 400, code: 'protocol_error', reason });
    if (!isUtf8(bytes)) return unreadable('the body is not UTF-8');
    const text = bytes.toString();
    const end = text.indexOf('\n');
    if (end < 0) return unreadable('the body has no complete first line');
    const line = text.slice(0, end);
    if (Buffer.byteLength(line) >= limits.lineBytes) {
      return exchange.refuse({
        status: 413,
        code: 'frame_too_large',
        reason: `a line is longer than ${limits.lineBytes} bytes`,
      });
    }
    let header: UpFrame | null;
    try {
      header = readUp(line, limits);
    } catch (error) {
      if (!RunnelError.is(error)) this.#edge.report(error, 'request');
      // A version that we do not speak was read well enough to be answered properly.
      if (RunnelError.is(error) && error.code === 'version_unsupported') {
        return exchange.endWith([Type.goaway, error.code, error.message, 0]);
      }
      return unreadable(RunnelError.is(error) ? error.message : 'the header cannot be read');
    }
    switch (header?.[0]) {
      case Type.attach:
        return this.#attach(exchange, header[1], text);
      case Type.poll: {
        const poll = header[1];
        const here = (): void => this.#poll(exchange, poll);
        return this.#atOwner(exchange, poll, { body: text, holdMs: poll.hold }, here);
      }
      case Type.post: {
        const post = header[1];
        const here = (): void => this.#post(exchange, post, text.slice(end + 1));
        return this.#atOwner(exchange, post, { body: text, holdMs: 0 }, here);
      }
      case Type.probe: {
        const [, nonce] = header;
        return this.#answering(exchange, (now) => this.#probes.open(nonce, exchange, now));
      }
      case Type.echo:
        return this.#probes.echo(header[1], exchange);
      default:
        return unreadable('the first line is no header');
    }
  }

  /** Has the node answer that has the session, or `here` this one. What it does not answer is told to attach, here. PROTOCOL §12.1 */
  #atOwner(
    exchange: Exchange<I>,
    { key, node }: Pick<Attach, 'key' | 'node'>,
    request: Omit<Forward, 'owner'>,
    here: (gone: boolean) => void,
  ): void {
    const { cluster } = this.#edge;
    const owner = key === undefined ? null : (cluster?.ownerOf(key, node, exchange) ?? null);
    if (cluster === null || owner === null) return here(true);
    cluster.forward(exchange, { owner, ...request }, here);
  }

  #poll(exchange: Exchange<I>, poll: PollHeader): void {
    exchange.holder = this;
    this.#answering(exchange, (now) => this.#edge.registry.poll(poll, exchange, now));
  }

  #post(exchange: Exchange<I>, header: PostHeader, rest: string): void {
    const { registry, limits } = this.#edge;
    const frames: SizedFrame[] = [];
    try {
      for (const line of new LineReader(limits.lineBytes).push(rest)) {
        const frame = readUp(line, limits);
        if (frame !== null) frames.push({ frame, size: Buffer.byteLength(line) + 1 });
      }
    } catch (error) {
      return this.#postFault(exchange, header, error);
    }
    try {
      registry.post(header, frames, exchange, this.#edge.driver.now());
    } catch (error) {
      this.#postFault(exchange, header, error);
    }
    this.#edge.driver.rearm();
  }

  /** PROTOCOL §5: what cannot be read ends the session; so does what a handler has thrown at us, since it is half done. */
  #postFault(exchange: Exchange<I>, header: PostHeader, error: unknown): void {
    const known = RunnelError.is(error);
    if (!known) this.#edge.report(error, 'frame');
    const [code, reason] = known ? [error.code, error.message] : ['internal', 'the server failed'];
    this.#answering(exchange, (now) => this.#edge.registry.postFault(header, code, reason, exchange, now));
  }

  #attach(exchange: Exchange<I>, attach: Attach, body: string): void {
    const { mode, gen, hold = 0 } = attach;
    if (mode === 'websocket') {
      const reason = 'an attach by POST has mode stream or poll';
      return exchange.refuse({ status: 400, code: 'protocol_error', reason });
    }
    if (!this.#edge.transports.has(mode)) {
      return exchange.endWith([Type.goaway, 'transport_unavailable', `transport ${mode} is not offered`, 0, gen]);
    }
    const here = (gone: boolean): void => {
      if (!gone) return exchange.endWith([Type.retry, gen, RETRY_MS]);
      this.#edge.locate(exchange, attach, (said) => {
        if ('refusal' in said) return exchange.endWith(said.refusal);
        this.#admit(exchange, attach, said.identity);
      });
    };
    // A session that is polled stays where it is; one that gets a stream comes here.
    if (mode === 'poll') this.#atOwner(exchange, attach, { body, holdMs: hold }, here);
    else here(true);
  }

  #admit(exchange: Exchange<I>, attach: Attach, identity: I): void {
    if (attach.mode === 'stream') {
      const opening = this.#edge.streamOpeningOf(exchange);
      return this.#answering(exchange, (now) => {
        const { link } = new StreamPort(this.#edge, { exchange, opening }, now);
        this.#edge.admit({ attach, identity, carrier: { link }, opening }, now);
      });
    }
    const opening = this.#edge.openingOf(exchange);
    exchange.holder = this;
    this.#answering(exchange, (now) =>
      this.#edge.admit({ attach, identity, carrier: { answer: exchange }, opening }, now),
    );
  }

  /** A turn at whose end `exchange` must not be left hanging if the application has thrown. */
  #answering(exchange: Exchange<I>, run: (now: number) => void): void {
    if (this.#edge.turn(run)) return;
    exchange.endWith([Type.goaway, 'internal', 'the server failed', 1_000]);
    exchange.endBody();
  }
}
