/** What the gauntlet asks of a framework that takes part in it: a server, and a client that gets to it. */
import type { Agent, Server } from 'node:http';
import type { Environment, Transport } from '@runnel/client';
import type { Numbered } from '../arrivals.ts';

/** How a client gets to its server. */
export interface Way {
  readonly port: number;
  readonly scheme?: 'http' | 'https' | undefined;
  /** What a client needs that would go this way; `agents` and `ca` for the same purpose where it does not use `fetch`. */
  readonly environment?: Partial<Environment> | undefined;
  readonly ca?: string | undefined;
  readonly agents?: { readonly http: Agent; readonly tunnel: Agent } | undefined;
  /** Where a client is kept to some of its transports. */
  readonly transports?: readonly Transport[] | undefined;
}

/** What carries a client's connection; null: nothing does. `failures` counts attempts in vain since there was one. */
export interface Standing {
  readonly transport: string | null;
  readonly failures: number;
}

export interface Visitor {
  readonly standing: Standing;
  /** Calls `handler` when `standing` may have changed; returns what stops that. */
  onStanding(handler: () => void): () => void;
  /** Resolves with the server's answer, where there is such a thing. */
  publish(message: Numbered): Promise<unknown>;
  /** How often a session was attached, and which transports have shown that they work; null where nobody counts that. */
  facts(): { readonly attaches: number; readonly proven: ReadonlySet<string> } | null;
  /** For who has to find out what went wrong. */
  describe(): string;
  close(): void;
}

/** A server that is up. */
export interface Service {
  /** Sends to every client. */
  send(message: Numbered): unknown;
  /** Lets sessions get this much older than they are. */
  age(ms: number): unknown;
  /** `farewell`: clients are told. */
  close(farewell: boolean): unknown;
}

/** What a server takes note of, for as long as the gauntlet lasts: it may be started more than once. */
export interface Ledger {
  /** Called with what clients publish. */
  readonly take: (message: Numbered) => void;
  /** Called with what goes wrong at the server and is no client's fault. */
  readonly fail: (error: unknown) => void;
  /** What a client is sent first of all. */
  readonly first: () => Numbered;
}

export interface Contender {
  readonly name: string;
  readonly version: string;
  /** Whether it can be made to use forward proxies in Node. */
  readonly knowsProxies: boolean;
  /** Returns what starts the server on an HTTP server that is about to listen. */
  host(ledger: Ledger): (http: Server) => Service;
  visit(way: Way, down: (message: Numbered) => void): Visitor;
}
