import type { Held, Journal, NewSubject, Subject, TakeHold } from '../journal.ts';
import type { Fact } from '../program.ts';
import type { MemoryDatabase, MemoryTransaction } from './memory-database.ts';

type Row = {
  readonly program: string;
  /** As text, so that nobody shares an object with the journal. */
  readonly spec: string;
  readonly facts: string[];
  token: number;
  nodeId: string | null;
  isEnded: boolean;
};

/** A journal in memory, with the behaviour of the real one as far as one process can have it. */
export class MemoryJournal implements Journal<MemoryTransaction> {
  readonly #database: MemoryDatabase;
  readonly #rows = new Map<string, Row>();

  constructor(database: MemoryDatabase) {
    this.#database = database;
  }

  transact<Value>(work: (trx: MemoryTransaction) => Promise<Value>): Promise<Value> {
    return this.#database.transact(work);
  }

  async create(trx: MemoryTransaction, program: string, subjects: readonly NewSubject[]): Promise<void> {
    for (const { id, spec } of subjects) {
      const row = { program, spec: JSON.stringify(spec), facts: [], token: 0, nodeId: null, isEnded: false };
      trx.stage(() => this.#rows.set(id, row));
    }
  }

  /** Forgets subjects that nobody has begun to drive. */
  forget(trx: MemoryTransaction, subjectIds: readonly string[]): void {
    trx.stage(() => {
      for (const id of subjectIds) this.#rows.delete(id);
    });
  }

  takeHold(subjectId: string, token: number, nodeId: string): Promise<TakeHold> {
    return this.transact(async (trx): Promise<TakeHold> => {
      const row = this.#rows.get(subjectId);
      if (row === undefined || row.isEnded) return { kind: 'gone' };
      if (row.token >= token) return { kind: 'superseded' };
      trx.stage(() => {
        row.token = token;
        row.nodeId = nodeId;
      });
      const held = { subjectId, token, seq: row.facts.length };
      const spec = JSON.parse(row.spec) as object;
      return { kind: 'taken', taken: { held, spec, facts: await this.factsAfter(trx, subjectId, 0) } };
    });
  }

  async lock(_trx: MemoryTransaction, subjectId: string): Promise<Subject | null> {
    const row = this.#rows.get(subjectId);
    if (row === undefined) return null;
    const { program, token, isEnded, facts } = row;
    return {
      program,
      // Hardly anybody asks, and long histories lock often.
      get spec() {
        return JSON.parse(row.spec) as object;
      },
      lastSeq: facts.length,
      token,
      isEnded,
    };
  }

  async letGo(trx: MemoryTransaction, subjectId: string): Promise<void> {
    const row = this.#rows.get(subjectId);
    trx.stage(() => {
      if (row !== undefined) row.nodeId = null;
    });
  }

  async factsAfter(_trx: MemoryTransaction | null, subjectId: string, seq: number): Promise<readonly Fact[]> {
    const facts = this.#rows.get(subjectId)?.facts ?? [];
    return facts.slice(seq).map((text) => JSON.parse(text) as Fact);
  }

  async insertNext(trx: MemoryTransaction | null, held: Held, facts: readonly Fact[]): Promise<boolean> {
    if (trx === null) return this.transact((own) => this.insertNext(own, held, facts));
    const { subjectId, token, seq } = held;
    const row = this.#rows.get(subjectId);
    if (row === undefined || row.isEnded || row.token !== token || row.facts.length !== seq) return false;
    const texts = facts.map((fact) => JSON.stringify(fact));
    trx.stage(() => {
      row.facts.push(...texts);
      row.isEnded = facts.at(-1)?.type === 'ended';
    });
    return true;
  }

  async insert(trx: MemoryTransaction, subjectId: string, seq: number, fact: Fact): Promise<void> {
    const text = JSON.stringify(fact);
    trx.stage(() => {
      const row = this.#rows.get(subjectId);
      if (row === undefined || row.facts.length !== seq - 1)
        throw new Error(`${subjectId} cannot have a fact ${seq} now.`);
      row.facts.push(text);
      row.isEnded = fact.type === 'ended';
    });
  }

  async heldLastBy(nodeId: string, program: string): Promise<readonly string[]> {
    return [...this.#rows.entries()]
      .filter(([, row]) => row.program === program && row.nodeId === nodeId && !row.isEnded)
      .map(([id]) => id);
  }
}
