/** What the session was asked and has not answered, by the id that it went up with, and whom the answer is for. */
import { RunnelError, type Settle } from '@runnel/protocol';
import type { TabId } from './messages.ts';

/** A publish or request of a tab. */
export interface CallRoute {
  readonly type: 'call';
  readonly tab: TabId;
  /** The tab's own. */
  readonly id: number;
  /** Whether it may be stopped. */
  readonly request: boolean;
  /** Where it is refused: takes back what was noted of it. */
  readonly undo?: (() => void) | undefined;
}

export type Route =
  | CallRoute
  /** The host itself has asked. */
  | { readonly type: 'own'; readonly settle: Settle };

export interface RoutesState {
  readonly lastId: number;
  readonly calls: readonly (readonly [id: number, tab: TabId, own: number, request: boolean])[];
}

export class Routes {
  readonly #byId = new Map<number, Route>();
  /** Of calls, by tab and the tab's own id. */
  readonly #idOf = new Map<string, number>();
  #lastId: number;

  constructor(state?: RoutesState) {
    this.#lastId = state?.lastId ?? 0;
    for (const [id, tab, own, request] of state?.calls ?? []) this.set(id, { type: 'call', tab, id: own, request });
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Without what the host itself has asked: the next one asks anew. */
  get state(): RoutesState {
    const calls: [number, TabId, number, boolean][] = [];
    for (const [id, route] of this.#byId)
      if (route.type === 'call') calls.push([id, route.tab, route.id, route.request]);
    return { lastId: this.#lastId, calls };
  }

  /** An id that was not used before. */
  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  set(id: number, route: Route): void {
    this.#byId.set(id, route);
    if (route.type === 'call') this.#idOf.set(keyOf(route.tab, route.id), id);
  }

  /** Sets it under a new id, which is returned. */
  add(route: Route): number {
    const id = this.nextId();
    this.set(id, route);
    return id;
  }

  get(id: number): Route | undefined {
    return this.#byId.get(id);
  }

  /** The id with which a call of a tab went up. */
  idOf(tab: TabId, own: unknown): number | undefined {
    return this.#idOf.get(keyOf(tab, own));
  }

  /** Calls of a tab. */
  of(tab: TabId): readonly (readonly [id: number, route: CallRoute])[] {
    return [...this.#byId].flatMap(([id, route]) => (route.type === 'call' && route.tab === tab ? [[id, route]] : []));
  }

  delete(id: number): void {
    const route = this.#byId.get(id);
    this.#byId.delete(id);
    if (route?.type === 'call') this.#idOf.delete(keyOf(route.tab, route.id));
  }

  /** The incarnation is over: nothing is answered any more. */
  lost(): void {
    const routes = [...this.#byId.values()];
    this.#byId.clear();
    this.#idOf.clear();
    for (const route of routes)
      if (route.type === 'own') route.settle(new RunnelError('indeterminate', 'The session was lost.'));
  }
}

const keyOf = (tab: TabId, own: unknown): string => `${tab} ${own}`;
