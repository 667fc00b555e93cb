import type { Kysely, Transaction } from 'kysely';
import type { EngineTables } from './engine-tables.ts';
import type { Journal, NewSubject, Subject, TakeHold } from './journal.ts';
import type { Fact } from './program.ts';

/** A transaction on a database that holds the journal's tables. */
export type TablesTransaction = Transaction<EngineTables>;

const ROWS_AT_ONCE = 1000;

/** The journal made real: two tables of PostgreSQL. */
export class PostgresJournal implements Journal<TablesTransaction> {
  readonly #db: Kysely<EngineTables>;

  constructor(db: Kysely<EngineTables>) {
    this.#db = db;
  }

  transact<Value>(work: (trx: TablesTransaction) => Promise<Value>): Promise<Value> {
    return this.#db.transaction().execute(work);
  }

  async create(trx: TablesTransaction, program: string, subjects: readonly NewSubject[]): Promise<void> {
    for (let from = 0; from < subjects.length; from += ROWS_AT_ONCE) {
      const rows = subjects
        .slice(from, from + ROWS_AT_ONCE)
        .map(({ id, spec }) => ({ id, program, spec: JSON.stringify(spec), node_id: null }));
      await trx.insertInto('journal_subject').values(rows).execute();
    }
  }

  takeHold(subjectId: string, token: number, nodeId: string): Promise<TakeHold> {
    return this.transact(async (trx): Promise<TakeHold> => {
      const subject = await this.lock(trx, subjectId);
      if (subject === null || subject.isEnded) return { kind: 'gone' };
      if (subject.token >= token) return { kind: 'superseded' };
      await trx
        .updateTable('journal_subject')
        .set({ token, node_id: nodeId })
        .where('id', '=', subjectId)
        .execute();
      const facts = await this.factsAfter(trx, subjectId, 0);
      const held = { subjectId, token, seq: subject.lastSeq };
      return { kind: 'taken', taken: { held, spec: subject.spec, facts } };
    });
  }

  async lock(trx: TablesTransaction, subjectId: string): Promise<Subject | null> {
    const row = await trx
      .selectFrom('journal_subject')
      .select(['program', 'spec', 'last_seq', 'token', 'is_ended'])
      .where('id', '=', subjectId)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined) return null;
    const { program, spec, last_seq: lastSeq, token, is_ended: isEnded } = row;
    return { program, spec, lastSeq, token, isEnded };
  }

  async factsAfter(trx: TablesTransaction | null, subjectId: string, seq: number): Promise<readonly Fact[]> {
    const rows = await (trx ?? this.#db)
      .selectFrom('journal_fact')
      .select('body')
      .where('subject_id', '=', subjectId)
      .where('seq', '>', seq)
      .orderBy('seq')
      .execute();
    return rows.map(({ body }) => body);
  }

  async insert(trx: TablesTransaction, subjectId: string, seq: number, fact: Fact): Promise<void> {
    await trx
      .insertInto('journal_fact')
      .values({ subject_id: subjectId, seq, body: JSON.stringify(fact) })
      .execute();
    await trx
      .updateTable('journal_subject')
      .set({ last_seq: seq, is_ended: fact.type === 'ended' })
      .where('id', '=', subjectId)
      .execute();
  }

  async heldLastBy(nodeId: string, program: string): Promise<readonly string[]> {
    const rows = await this.#db
      .selectFrom('journal_subject')
      .select('id')
      .where('program', '=', program)
      .where('node_id', '=', nodeId)
      .where('is_ended', '=', false)
      .execute();
    return rows.map(({ id }) => id);
  }
}
