/** The state behind a channel with a snapshot, as an application has it in its database: written first, broadcast then. */
import type { Cells } from './app-contract.ts';

/** `cell=version` */
export function readCell(text: string): [cell: string, version: number] {
  const [cell = '', version] = text.split('=');
  return [cell, Number(version)];
}

export class Board {
  readonly #cells = new Map<string, number>();
  /** Cells whose last change was not accepted by the broker, as far as its writer knows: they have to be written again. */
  readonly #unsaid = new Set<string>();
  #version = 0;

  get cells(): Cells {
    return Object.fromEntries(this.#cells);
  }
  get unsaid(): readonly string[] {
    return [...this.#unsaid];
  }

  /** Returns what has to be broadcast, and what is to be called when that was accepted. */
  write(cell: string): { text: string; accepted: () => void } {
    this.#version += 1;
    const version = this.#version;
    this.#cells.set(cell, version);
    this.#unsaid.add(cell);
    return {
      text: `${cell}=${version}`,
      accepted: () => {
        if (this.#cells.get(cell) === version) this.#unsaid.delete(cell);
      },
    };
  }
}
