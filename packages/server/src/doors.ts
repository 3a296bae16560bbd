/** Where a request comes in: `<path>` is the protocol's, `<path>/events` is for readers without the SDK. */
export type Door = 'protocol' | 'events';

const EVENTS = '/events';

export class Doors {
  readonly path: string;

  /** @throws TypeError for a path that does not begin with a slash */
  constructor(path: string) {
    if (!path.startsWith('/')) throw new TypeError(`path is ${JSON.stringify(path)}; it must begin with a slash.`);
    this.path = path;
  }

  /** The door that a request target is for; null: it is none of ours. A property, so that it can be handed on. */
  readonly of = (url: string | undefined): Door | null => {
    if (url === undefined || !url.startsWith(this.path)) return null;
    if (endsAt(url, this.path.length)) return 'protocol';
    return url.startsWith(EVENTS, this.path.length) && endsAt(url, this.path.length + EVENTS.length) ? 'events' : null;
  };

  /** Likewise of a request that somebody else has routed to us, from whatever path. */
  ofRouted(url: string): Door {
    return this.of(url) ?? (/\/events\/?(?:\?|$)/.test(url) ? 'events' : 'protocol');
  }
}

const endsAt = (url: string, at: number): boolean => url.length === at || url[at] === '?';
