/** What is handed to the server's `authenticate`: asked for before the first attach, and once more where it was refused. */
export class Credentials {
  readonly #renewable: boolean;
  /** *needed*: to be asked for when an attach is due; *awaited*: asked for; *known*: `#auth` holds, or none are wanted. */
  #state: 'needed' | 'awaited' | 'known';
  /** Set by `handle`; undefined: there are none. */
  #auth: unknown;
  /** Generation of the last attach sent before they were known: what refuses it refuses others. */
  #afterGen = 0;
  /** How often in a row they were refused; 0 again when an attach was accepted. */
  #refusals = 0;

  /** `renewable`: there is somebody to ask. */
  constructor(renewable: boolean) {
    this.#renewable = renewable;
    this.#state = renewable ? 'needed' : 'known';
  }

  get state(): 'needed' | 'awaited' | 'known' {
    return this.#state;
  }
  get auth(): unknown {
    return this.#auth;
  }
  /** Whether the ones used last were refused. */
  get refused(): boolean {
    return this.#refusals > 0;
  }

  await(): void {
    this.#state = 'awaited';
  }

  /** They are known. `gen` is that of the last attach sent. */
  handle(auth: unknown, gen: number): void {
    this.#auth = auth;
    this.#state = 'known';
    this.#afterGen = gen;
  }

  /** Generations start again. */
  startAnew(): void {
    this.#afterGen = 0;
  }

  /** Whether a refusal of the attach of generation `gen` says nothing of them. */
  areNewerThan(gen: number | undefined): boolean {
    return gen !== undefined && gen <= this.#afterGen;
  }

  /** They could not be had. */
  fail(): void {
    this.#state = 'needed';
  }

  accept(): void {
    this.#refusals = 0;
  }

  /** The server has refused them. False: there are no others. Further refusals of the same ones do not count. */
  refuse(): boolean {
    if (this.#state !== 'known') return true;
    this.#refusals += 1;
    this.#state = 'needed';
    return this.#renewable && this.#refusals === 1;
  }
}
