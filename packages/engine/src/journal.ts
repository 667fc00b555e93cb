import { type Kysely, sql, type Transaction } from 'kysely';
import type { EngineTables } from './engine-tables.ts';
import type { Fact } from './program.ts';

/** A subject as one holder sees it: its facts up to `seq`, held under `token`. */
export type Held = { readonly subjectId: string; readonly token: number; seq: number };

/** A subject that was taken hold of, with all that is known of it. */
export type Taken = {
  readonly held: Held;
  readonly program: string;
  readonly spec: object;
  readonly facts: readonly Fact[];
};

/** What came of an append. `behind`: others wrote meanwhile, take their facts in first. `lost`: somebody else holds it. */
export type Appended =
  | { readonly kind: 'appended' }
  | { readonly kind: 'behind'; readonly facts: readonly Fact[] }
  | { readonly kind: 'lost' };

/** The journal's tables, in or outside a transaction. */
export type Tables = Kysely<EngineTables>;
export type TablesTransaction = Transaction<EngineTables>;

/** Takes hold of a subject: everyone who held it before can write no more. Null when it has ended or is unknown. */
export async function takeHold(db: Tables, subjectId: string, nodeId: string): Promise<Taken | null> {
  return db.transaction().execute(async (trx) => {
    const row = await trx
      .updateTable('journal_subject')
      .set({ token: sql`token + 1`, node_id: nodeId })
      .where('id', '=', subjectId)
      .where('is_ended', '=', false)
      .returning(['program', 'spec', 'last_seq', 'token'])
      .executeTakeFirst();
    if (row === undefined) return null;
    const facts = await factsAfter(trx, subjectId, 0);
    const held = { subjectId, token: row.token, seq: row.last_seq };
    return { held, program: row.program, spec: row.spec, facts };
  });
}

/** The facts of a subject after one of them, oldest first; 0 for all. */
export async function factsAfter(db: Tables, subjectId: string, seq: number): Promise<readonly Fact[]> {
  const rows = await db
    .selectFrom('journal_fact')
    .select('body')
    .where('subject_id', '=', subjectId)
    .where('seq', '>', seq)
    .orderBy('seq')
    .execute();
  return rows.map(({ body }) => body);
}

/**
 * Appends one fact under the holder's token; `project` runs in the same transaction and is given the facts that others
 * wrote meanwhile. With `isConditional` nothing is appended when there are any.
 */
export async function append(
  db: Tables,
  held: Held,
  fact: Fact,
  isConditional: boolean,
  project: (trx: TablesTransaction, missed: readonly Fact[]) => Promise<void>,
): Promise<Appended> {
  return db.transaction().execute(async (trx) => {
    const subject = await lockSubject(trx, held.subjectId);
    if (subject === undefined || subject.token !== held.token || subject.is_ended) return { kind: 'lost' };
    const missed = subject.last_seq > held.seq ? await factsAfter(trx, held.subjectId, held.seq) : [];
    if (missed.length > 0 && isConditional) {
      held.seq = subject.last_seq;
      return { kind: 'behind', facts: missed };
    }
    await insertFact(trx, held.subjectId, subject.last_seq + 1, fact);
    await project(trx, missed);
    held.seq = subject.last_seq + 1;
    return { kind: 'appended' };
  });
}

/** The subject's row, locked until the transaction ends: whoever has it may write the next fact. */
export async function lockSubject(
  trx: TablesTransaction,
  subjectId: string,
): Promise<
  { program: string; spec: object; last_seq: number; token: number; is_ended: boolean } | undefined
> {
  return trx
    .selectFrom('journal_subject')
    .select(['program', 'spec', 'last_seq', 'token', 'is_ended'])
    .where('id', '=', subjectId)
    .forUpdate()
    .executeTakeFirst();
}

/** Writes one fact whose number is known to be free because the subject's row is locked. */
export async function insertFact(
  trx: TablesTransaction,
  subjectId: string,
  seq: number,
  fact: Fact,
): Promise<void> {
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
