import { encodeData, type Identity, type ResolvedChannel, RunnelError, validateOrThrow } from '@runnel/protocol';
import type { AppSession } from './app-session.ts';
import type { Core } from './core.ts';

export interface SnapshotsOptions {
  /** How long a snapshot handler may take, ms. */
  readonly handlerMs: number;
}

/** Asks the app for the state of channels whose pattern declares a snapshot (PROTOCOL §5.25). */
export class Snapshots<I extends Identity> {
  readonly #core: Core<I>;
  readonly #options: SnapshotsOptions;

  constructor(core: Core<I>, options: SnapshotsOptions) {
    this.#core = core;
    this.#options = options;
  }

  /**
   * The state of the channel as it is, checked and encoded. `unwanted` tells the handler to stop.
   *
   * @throws RunnelError rejects with `unknown_method` where no snapshot is declared, `timeout`, or the reason of `unwanted`; with what the
   *   handler throws; and, as the server's own, with `validation_failed` and `payload_too_large` for what it returns
   */
  async read(of: AppSession<I>, resolved: ResolvedChannel, unwanted?: AbortSignal): Promise<string> {
    const { name, channel } = resolved;
    const { snapshot: handler } = await this.#core.handlersOf(resolved);
    const { snapshot: schema } = channel;
    if (handler === null || schema === null) {
      throw new RunnelError('unknown_method', `${channel.pattern} declares no snapshot`);
    }
    return this.#inTime(name, unwanted, async (signal) => {
      const given = await handler({ ...this.#core.contextOf(of, resolved), signal });
      try {
        const json = encodeData(await validateOrThrow(schema, given, `the snapshot of ${name}`));
        this.#core.encoder.checkSize(json, `the snapshot of ${name}`);
        return json;
      } catch (error) {
        throw RunnelError.is(error) ? this.#core.reporter.own(error) : error;
      }
    });
  }

  #inTime(
    name: string,
    unwanted: AbortSignal | undefined,
    run: (signal: AbortSignal) => Promise<string>,
  ): Promise<string> {
    unwanted?.throwIfAborted();
    const { handlerMs } = this.#options;
    const abort = new AbortController();
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        cancelTimer();
        unwanted?.removeEventListener('abort', handleUnwanted);
      };
      const stop = (reason: unknown): void => {
        settle();
        reject(reason);
        abort.abort(reason);
      };
      const handleUnwanted = (): void => stop(unwanted?.reason);
      unwanted?.addEventListener('abort', handleUnwanted);
      const cancelTimer = this.#core.clock.after(handlerMs, () => {
        stop(new RunnelError('timeout', `there was no snapshot of ${name} in ${handlerMs} ms`));
      });
      run(abort.signal).finally(settle).then(resolve, reject);
    });
  }
}
