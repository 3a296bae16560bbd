/** What there is on the page, or wherever this runs. */
export interface Page {
  readonly document?: Document;
  readonly performance?: { now?(): number };
  readonly crypto?: Crypto;
  /** Internet Explorer 11 calls it so. */
  readonly msCrypto?: Crypto;
  readonly Uint8Array?: Uint8ArrayConstructor;
  readonly WebSocket?: new (url: string) => never;
  readonly addEventListener?: EventTarget['addEventListener'];
  readonly removeEventListener?: EventTarget['removeEventListener'];
}

declare const self: Page | undefined;
declare const global: Page | undefined;

export const page: Page = typeof self === 'object' ? self : typeof global === 'object' ? global : {};

/** Bytes, or a list of them where there are none. */
export const Bytes: new (length: number) => ArrayLike<number> = page.Uint8Array ?? (Array as never);
