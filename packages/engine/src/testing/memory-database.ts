/** A transaction on a database in memory: what it writes is seen when it has committed, and not before. */
export class MemoryTransaction {
  readonly #writes: (() => void)[] = [];

  /** Has a write carried out when the transaction commits, after those staged before it. */
  stage(write: () => void): void {
    this.#writes.push(write);
  }

  commit(): void {
    for (const write of this.#writes) write();
  }
}

/** A database in memory: one transaction at a time, so every lock is held as soon as a transaction has begun. */
export class MemoryDatabase {
  #last: Promise<unknown> = Promise.resolve();

  /** All of it or, when the work throws, nothing. */
  transact<Value>(work: (trx: MemoryTransaction) => Promise<Value>): Promise<Value> {
    const turn = this.#last.then(async () => {
      const trx = new MemoryTransaction();
      const value = await work(trx);
      trx.commit();
      return value;
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
