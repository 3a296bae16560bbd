import type { RedisClientOptions } from '@redis/client';
import type { Link, LinkEvents } from '../link-keeper.ts';
import type { Script } from './script.ts';

/** What may be said about each connection; what the broker decides itself is left out. */
export type RedisConnectionOptions = Pick<
  RedisClientOptions,
  'username' | 'password' | 'credentialsProvider' | 'database' | 'name' | 'socket'
>;

export interface RedisLinkOptions extends LinkEvents {
  /** One server, or some of a cluster's. */
  readonly urls: readonly string[];
  readonly connection: RedisConnectionOptions;
  readonly timeoutMs: number;
  /** Somebody has published. */
  readonly onMessage: (topic: string, text: string) => void;
}

export interface RedisLink extends Link {
  readonly run: RunScript;
}

/** @param keys of one slot */
export type RunScript = (script: Script, keys: readonly string[], args: readonly string[]) => Promise<unknown>;

interface Evaluator {
  evalSha(sha1: string, call: { keys: string[]; arguments: string[] }): Promise<unknown>;
  eval(text: string, call: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** Runs a script by its name, or sends it where the server does not have it. */
export async function evaluate(
  on: Evaluator,
  { sha1, text }: Script,
  keys: readonly string[],
  args: readonly string[],
): Promise<unknown> {
  const call = { keys: [...keys], arguments: [...args] };
  try {
    return await on.evalSha(sha1, call);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('NOSCRIPT')) return on.eval(text, call);
    throw error;
  }
}
