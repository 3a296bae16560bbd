import { type Identity, Type } from '@runnel/protocol';
import type { AppSession } from './app-session.ts';
import type { Encoder } from './encoder.ts';
import type { Timing } from './timing.ts';

/** What `authenticate` may say beside who it is. */
export interface Expiring {
  /** How long the credentials are good from now on, ms. Shortly before, the client is asked for fresh ones. Default: as long as the session. */
  readonly expiresInMs?: number | undefined;
}

/** How long before the end the client is asked, ms; of short-lived credentials, a quarter of their time. */
const NOTICE_MS = 30_000;
/** The longest time that a timer takes; who is good for longer is asked every 24 days. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Ends sessions whose credentials have run out, after asking for fresh ones (PROTOCOL §4.5). */
export class Credentials<I extends Identity & Expiring> {
  readonly #clock: Timing;
  readonly #encoder: Encoder;
  /** How to take the next timer of a session back. */
  readonly #timers = new Map<AppSession<I>, () => void>();

  constructor({ clock, encoder }: { readonly clock: Timing; readonly encoder: Encoder }) {
    this.#clock = clock;
    this.#encoder = encoder;
  }

  /** The session's identity is fresh. */
  watch(of: AppSession<I>): void {
    this.forget(of);
    const { expiresInMs } = of.session.identity;
    if (expiresInMs === undefined || !Number.isFinite(expiresInMs)) return;
    const noticeMs = Math.min(NOTICE_MS, Math.max(expiresInMs, 0) / 4);
    this.#set(of, Math.max(expiresInMs - noticeMs, 0), () => {
      of.session.sendLoose(this.#encoder.control([Type.refresh, Math.floor(noticeMs)]));
      this.#set(of, noticeMs, () => {
        this.#timers.delete(of);
        of.session.end('credentials_expired', 'the credentials ran out', this.#clock.now());
      });
    });
  }

  forget(of: AppSession<I>): void {
    this.#timers.get(of)?.();
    this.#timers.delete(of);
  }

  #set(of: AppSession<I>, ms: number, run: () => void): void {
    this.#timers.set(of, this.#clock.after(Math.min(ms, TIMER_MS_MAX), run));
  }
}
