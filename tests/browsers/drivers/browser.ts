/** What the scenarios need of a browser, whichever it is. */
import { existsSync } from 'node:fs';

export interface Page {
  goto(url: string): Promise<void>;
  /** Goes back in the tab's history; may be over before the page is there. */
  back(): Promise<void>;
  /**
   * Runs a function in the page and resolves to what it, or its promise, gives. It is sent as text: all it knows of the test is `given`, which is JSON as its
   * result is.
   */
  evaluate<A, T>(run: (given: A) => T | Promise<T>, given: A): Promise<T>;
  /** A PNG of what is seen. */
  screenshot(): Promise<Buffer>;
  close(): Promise<void>;
}

export interface Browser {
  /** A page in a window of its own, visible. */
  open(url: string): Promise<Page>;
  /** Ends it on the spot, so that its pages say goodbye to nobody. */
  kill(): Promise<void>;
}

/** Opens a browser with a fresh profile. */
export interface BrowserKind<B extends Browser = Browser> {
  readonly name: string;
  launch(): Promise<B>;
}

/** @throws Error where a program is not installed */
export function need(program: string, debianPackage: string): string {
  if (!existsSync(program)) throw new Error(`There is no ${program}. Install it: apt-get install ${debianPackage}`);
  return program;
}
