import { Duplex } from 'node:stream';

/** What can be done to a connection under the eyes of both its ends. `net.Socket` has it. */
interface Resettable {
  resetAndDestroy?(): unknown;
}

/** An upgraded connection on its way through a network that may go silent: then nothing passes, the end of it neither, and both sides are left to believe that all is well. */
export class Tunnel extends Duplex {
  readonly #socket: Duplex & Resettable;
  #silent = false;

  constructor(socket: Duplex & Resettable) {
    super();
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      if (!this.#silent && !this.push(bytes)) socket.pause();
    });
    socket.on('end', () => this.#silent || this.push(null));
    socket.on('close', () => this.destroy());
    // 'close' follows.
    socket.on('error', () => {});
  }

  silence(): void {
    this.#silent = true;
    // What comes up goes nowhere.
    this.#socket.resume();
  }

  /** The client sees a reset, the server the end. */
  cut(): void {
    this.#silent = true;
    this.#socket.resetAndDestroy?.();
    this.destroy();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#silent) done();
    else this.#socket.write(bytes, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#silent) done();
    else this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#silent) this.#socket.destroy();
    done(error);
  }
}
