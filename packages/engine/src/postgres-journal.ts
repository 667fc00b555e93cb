import { type Kysely, sql, type Transaction } from 'kysely';
import type { EngineTables } from './engine-tables.ts';
import type { Held, Journal, NewSubject, Subject, TakeHold } from './journal.ts';
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

  async takeHold(subjectId: string, token: number, nodeId: string): Promise<TakeHold> {
    const row = await this.#db
      .updateTable('journal_subject')
      .set({ token, node_id: nodeId })
      .where('id', '=', subjectId)
      .where('token', '<', token)
      .where('is_ended', '=', false)
      .returning(['spec', 'last_seq'])
      .executeTakeFirst();
    if (row === undefined) return (await this.#isOpen(subjectId)) ? { kind: 'superseded' } : { kind: 'gone' };
    const { spec, last_seq: seq } = row;
    // What others have written since comes with the next look, like all that they write from here on.
    const facts = seq === 0 ? [] : (await this.factsAfter(null, subjectId, 0)).slice(0, seq);
    return { kind: 'taken', taken: { held: { subjectId, token, seq }, spec, facts } };
  }

  async #isOpen(subjectId: string): Promise<boolean> {
    const row = await this.#db
      .selectFrom('journal_subject')
      .select('is_ended')
      .where('id', '=', subjectId)
      .executeTakeFirst();
    return row?.is_ended === false;
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

  async letGo(trx: TablesTransaction, subjectId: string): Promise<void> {
    await trx.updateTable('journal_subject').set({ node_id: null }).where('id', '=', subjectId).execute();
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

  async insertNext(
    trx: TablesTransaction | null,
    { subjectId, token, seq }: Held,
    facts: readonly Fact[],
  ): Promise<boolean> {
    const isEnded = facts.at(-1)?.type === 'ended';
    // One statement: it locks the row as it changes it, and finds no row to change when it comes too late.
    const { numAffectedRows = 0n } = await sql`
      with held as (
        update journal_subject set last_seq = last_seq + ${facts.length}::int4, is_ended = ${isEnded}
        where id = ${subjectId} and token = ${token} and last_seq = ${seq} and not is_ended
        returning id
      )
      insert into journal_fact (subject_id, seq, body)
      select held.id, ${seq}::int4 + fact.number, fact.body
      from held, jsonb_array_elements(${JSON.stringify(facts)}::jsonb) with ordinality as fact(body, number)
    `.execute(trx ?? this.#db);
    return numAffectedRows > 0n;
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
