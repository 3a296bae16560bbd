/** The two URLs of a server. */
export interface Endpoint {
  readonly http: string;
  readonly webSocket: string;
}

/** Where relative URLs start: the page's base, or the worker's script. */
const base: string | undefined = globalThis.document?.baseURI ?? globalThis.location?.href;

/** @throws TypeError for a URL that is none, that is relative where there is no page, or that is neither http(s) nor ws(s) */
export function resolveEndpoint(url: string | URL): Endpoint {
  let resolved: URL;
  try {
    resolved = new URL(url, base);
  } catch (cause) {
    throw new TypeError(
      `"${url}" is not the URL of a server${base === undefined ? '; outside a page it must be absolute' : ''}.`,
      { cause },
    );
  }
  if (!/^(http|ws)s?:/.test(resolved.href)) throw new TypeError(`"${url}" must begin with http:, https:, ws: or wss:.`);
  resolved.hash = '';
  const { href } = resolved;
  return { http: href.replace(/^ws/, 'http'), webSocket: href.replace(/^http/, 'ws') };
}
