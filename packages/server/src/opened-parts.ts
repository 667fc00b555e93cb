type Closer = () => Promise<void>;

/** The parts of a server that have been opened so far; they end together, whether or not the server came to serve. */
export class OpenedParts {
  readonly #closers: Closer[] = [];
  #undo: ((undoMs: number) => Promise<void>) | null = null;

  /** Closed before everything that was added earlier, because it may need that to the last. */
  add(close: Closer): void {
    this.#closers.push(close);
  }

  /** What is to be undone while all parts are still open. */
  undoFirst(undo: (undoMs: number) => Promise<void>): void {
    this.#undo = undo;
  }

  /** Undoes, for `undoMs` at most, and closes everything; throws at the end what any of it threw. */
  async end(undoMs: number): Promise<void> {
    const undo = this.#undo;
    this.#undo = null;
    const errors: unknown[] = [];
    const attempt = (step: Closer): Promise<void> => step().catch((error) => void errors.push(error));
    if (undo !== null) await attempt(() => undo(undoMs));
    for (const close of this.#closers.splice(0).reverse()) await attempt(close);
    if (errors.length > 0) throw new AggregateError(errors, 'The server did not end in order.');
  }
}
