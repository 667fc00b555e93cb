import type { Fact, Held, Journal, NewSubject, Subject, TakeHold } from '@stillpoint/engine';
import type { MemoryTransaction } from '../../../packages/engine/src/testing/memory-database.ts';

/** Who looks on while a node writes. */
export type JournalObserver = {
  /** A fact is durable. */
  onFact(subjectId: string, fact: Fact): void;
  onTaken(subjectId: string): void;
};

/** The journal as one node writes to it, with somebody looking on. */
export class ObservedJournal implements Journal<MemoryTransaction> {
  readonly #journal: Journal<MemoryTransaction>;
  readonly #observer: JournalObserver;
  readonly #told = new WeakMap<MemoryTransaction, (() => void)[]>();

  constructor(journal: Journal<MemoryTransaction>, observer: JournalObserver) {
    this.#journal = journal;
    this.#observer = observer;
  }

  /** Who looks on is told when all of it is there: what is projected comes behind its fact. */
  transact<Value>(work: (trx: MemoryTransaction) => Promise<Value>): Promise<Value> {
    return this.#journal.transact(async (trx) => {
      const told: (() => void)[] = [];
      this.#told.set(trx, told);
      const value = await work(trx);
      for (const tell of told) trx.stage(tell);
      return value;
    });
  }

  create(trx: MemoryTransaction, program: string, subjects: readonly NewSubject[]): Promise<void> {
    return this.#journal.create(trx, program, subjects);
  }

  async takeHold(subjectId: string, token: number, nodeId: string): Promise<TakeHold> {
    const hold = await this.#journal.takeHold(subjectId, token, nodeId);
    if (hold.kind === 'taken') this.#observer.onTaken(subjectId);
    return hold;
  }

  letGo(trx: MemoryTransaction, subjectId: string): Promise<void> {
    return this.#journal.letGo(trx, subjectId);
  }

  lock(trx: MemoryTransaction, subjectId: string): Promise<Subject | null> {
    return this.#journal.lock(trx, subjectId);
  }

  factsAfter(trx: MemoryTransaction | null, subjectId: string, seq: number): Promise<readonly Fact[]> {
    return this.#journal.factsAfter(trx, subjectId, seq);
  }

  async insertNext(trx: MemoryTransaction | null, held: Held, facts: readonly Fact[]): Promise<boolean> {
    if (trx === null) return this.transact((own) => this.insertNext(own, held, facts));
    const isInserted = await this.#journal.insertNext(trx, held, facts);
    if (isInserted) for (const fact of facts) this.#tell(trx, held.subjectId, fact);
    return isInserted;
  }

  async insert(trx: MemoryTransaction, subjectId: string, seq: number, fact: Fact): Promise<void> {
    await this.#journal.insert(trx, subjectId, seq, fact);
    this.#tell(trx, subjectId, fact);
  }

  #tell(trx: MemoryTransaction, subjectId: string, fact: Fact): void {
    const tell = (): void => this.#observer.onFact(subjectId, fact);
    const told = this.#told.get(trx);
    if (told === undefined) trx.stage(tell);
    else told.push(tell);
  }

  heldLastBy(nodeId: string, program: string): Promise<readonly string[]> {
    return this.#journal.heldLastBy(nodeId, program);
  }
}
