import { Type } from '@runnel/protocol';
import { boardContract } from './board-contract.ts';
import { Harness, type HarnessOptions, type TestClient } from './harness.ts';

// biome-ignore lint/suspicious/noExplicitAny: contexts as handlers see them; their types have tests of their own
type Handler = (context: any) => unknown;

/** What the board's handlers do other than nothing. */
export interface BoardHandlers {
  readonly authorize?: Handler;
  readonly ask?: Handler;
  readonly tail?: Handler;
  readonly find?: Handler;
  readonly move?: Handler;
  readonly snapshot?: Handler;
}

/** A harness with the board handled: open to everybody but where `authorize` is given. */
export function openBoard(handlers: BoardHandlers = {}, options: HarnessOptions = {}): Harness {
  const harness = new Harness({ ...options, contract: boardContract });
  const {
    authorize,
    ask = () => [],
    tail = () => [],
    find = () => '',
    move = () => {},
    snapshot = () => new Date(0),
  } = handlers;
  harness.app.handlers.add('board/:boardId', {
    ...(authorize === undefined ? { open: true } : { authorize }),
    requests: { ask, tail, find, move },
    snapshot,
  });
  return harness;
}

let lastId = 0;

export interface Asking {
  readonly method?: string;
  readonly data?: unknown;
  readonly timeoutMs?: number;
  readonly again?: boolean;
}

/** Asks for a streamed answer; returns the id of the call. */
export function iterate(client: TestClient, credit: number, asking: Asking = {}): number {
  const { method = 'ask', data = '', timeoutMs = 0, again = false } = asking;
  lastId += 1;
  client.send([Type.request, lastId, 'board/a', method, data, timeoutMs, { credit, again }]);
  return lastId;
}

/** Allows more parts of the answer to `id`. */
export function allow(client: TestClient, id: number, credit: number): void {
  client.send([Type.part, id, credit]);
}

/** The parts of the answer to `id` that have come. */
export function partsOf(client: TestClient, id: number): unknown[] {
  return client.ofType(Type.part).flatMap(([, of, data]) => (of === id ? [data] : []));
}
