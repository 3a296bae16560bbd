/** The two URLs of a server, resolved by the page itself. Stands in for `../endpoint.ts`. */
import type { Endpoint } from '../endpoint.ts';
import { page } from './page.ts';

/** @throws TypeError for a URL that is neither http(s) nor ws(s), and for a relative one where there is no page */
export function resolveEndpoint(url: string): Endpoint {
  let href = url.replace(/#.*/, '');
  if (page.document) {
    const link = page.document.createElement('a');
    link.href = href;
    href = link.href;
  }
  if (!/^(http|ws)s?:\/\//.test(href)) throw new TypeError(`"${url}" is not the URL of a server.`);
  return { http: href.replace(/^ws/, 'http'), webSocket: href.replace(/^http/, 'ws') };
}

/** As much of `URL` as the client asks for. */
export class PageUrl {
  readonly origin: string;

  /** @param href absolute */
  constructor(href: string) {
    this.origin = href.replace(/^(\w+:\/\/[^/?]*).*/, '$1');
  }
}
