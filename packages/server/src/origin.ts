/**
 * Which pages may talk to this server. Browsers send `Origin` with every POST and every WebSocket handshake and no page can forge it, so the check keeps other
 * sites from using a visitor's cookies. It says nothing about who else may connect: that is what `authenticate` is for.
 *
 * By default a page may talk to the server it came from. Named cases:
 * - no `Origin`: allowed. No browser leaves it out; apps, scripts and other servers do.
 * - `null` (sandboxed frames, `data:` pages, files in most browsers), `file://` (some web views), `capacitor://localhost`, `ionic://localhost` …: refused
 *   unless listed, letter for letter. Any page can get itself the origin `null`, so listing it is listing everybody.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** Origins that are allowed beside the server's own: as browsers write them (`https://app.example`), or a function that decides. */
export type Origins = readonly string[] | ((origin: string) => boolean);

export type OriginVerdict = 'absent' | 'same' | 'listed' | 'refused';

export interface OriginPolicyOptions {
  readonly origins?: Origins | undefined;
  /** Whether pages of listed origins may send cookies along; default true. */
  readonly credentials?: boolean | undefined;
}

export class OriginPolicy {
  readonly #listed: (origin: string) => boolean;
  readonly #credentials: boolean;

  constructor({ origins = [], credentials = true }: OriginPolicyOptions) {
    if (typeof origins === 'function') this.#listed = origins;
    else {
      const list = new Set(origins.map(normal));
      this.#listed = (origin) => list.has(normal(origin));
    }
    this.#credentials = credentials;
  }

  judge(headers: IncomingHttpHeaders): OriginVerdict {
    const { origin } = headers;
    const site = headers['sec-fetch-site'];
    if (origin === undefined) {
      // Something on the way has taken the origin away, but the browser's other word for it is still there.
      return site === 'cross-site' || site === 'same-site' ? 'refused' : 'absent';
    }
    if (this.#isSame(origin, headers)) return 'same';
    return this.#listed(origin) ? 'listed' : 'refused';
  }

  /** Why a request was refused, for its developer. */
  reasonFor({ origin }: IncomingHttpHeaders): string {
    return origin === undefined ? 'a page of another site asked' : `origin ${origin.slice(0, 128)} is not allowed`;
  }

  /** What a page of another origin needs to be told to read the answer, as a flat list of names and values. */
  corsHeaders(origin: string): string[] {
    const headers = ['Access-Control-Allow-Origin', origin, 'Vary', 'Origin'];
    if (this.#credentials) headers.push('Access-Control-Allow-Credentials', 'true');
    return headers;
  }

  /**
   * The scheme is left out of the comparison: a proxy that ends TLS makes an `https://` page's request an `http://` one. Proxies also replace `Host`; what
   * they then say in `X-Forwarded-Host`, and what the browser says in `Sec-Fetch-Site`, no page can write (a custom header would be preflighted), so for
   * this purpose both can be trusted.
   */
  #isSame(origin: string, headers: IncomingHttpHeaders): boolean {
    const host = headers.host ?? (headers[':authority'] as string | undefined);
    if (host && (origin === `https://${host}` || origin === `http://${host}`)) return true;
    if (!origin.startsWith('https://') && !origin.startsWith('http://')) return false;
    if (headers['sec-fetch-site'] === 'same-origin') return true;
    const own = hostOf(origin);
    if (own === null) return false;
    const { protocol } = new URL(origin);
    const forwarded = headers['x-forwarded-host'];
    return [host, ...(typeof forwarded === 'string' ? forwarded.split(',') : [])].some(
      // Both sides take the page's scheme, so that its default port is left out of both.
      (candidate) => candidate !== undefined && hostOf(`${protocol}//${candidate.trim()}`) === own,
    );
  }
}

/** Host and, where it is not the scheme's own, port; null for what is no URL. */
function hostOf(url: string): string | null {
  try {
    return new URL(url).host || null;
  } catch {
    return null;
  }
}

/** Origins have no case and no path; what people paste into a list may. */
function normal(origin: string): string {
  const lower = origin.toLowerCase();
  return lower.endsWith('/') && !lower.endsWith('//') ? lower.slice(0, -1) : lower;
}
