import { type Kysely, sql, type Transaction } from 'kysely';
import type { Tables } from './tables.ts';

/** Any number will do as long as every node uses the same: the letters "hist" as bytes. */
const ADVISORY_LOCK_KEY = 0x68697374;

/** A run may have ten thousand tasks with dozens of facts each; nobody is to wait for all of them to go at once. */
const TASKS_AT_ONCE = 500;

/**
 * Removes runs that ended more than so many days ago by the database's clock, with their tasks and their journals; after the
 * last of them also what is known of fires that were left out and of notices that ended before that. Answers how many runs.
 * Nothing goes that has not ended, has an open guard, is repeated by an unfinished run, or is still to be told to somebody.
 * Backups stay. Works in small transactions, of which nodes take turns: one that comes while another is at it leaves the
 * rest to that one.
 */
export async function trimHistory(
  db: Kysely<Tables>,
  keepDays: number,
  signal?: AbortSignal,
): Promise<number> {
  let runs = 0;
  while (signal?.aborted !== true) {
    const came = await db.transaction().execute((trx) => trimOnce(trx, keepDays));
    if (came === 'run removed') runs += 1;
    if (came === 'nothing left') break;
  }
  return runs;
}

async function trimOnce(
  trx: Transaction<Tables>,
  keepDays: number,
): Promise<'tasks removed' | 'run removed' | 'nothing left'> {
  const { rows } = await sql<{ isOurs: boolean }>`
    select pg_try_advisory_xact_lock(${ADVISORY_LOCK_KEY}) as "isOurs"
  `.execute(trx);
  if (rows[0]?.isOurs !== true) return 'nothing left';
  const runId = await oldestRun(trx, keepDays);
  if (runId === null) {
    await sql`delete from left_out_fire where noticed_at < ${before(keepDays)}`.execute(trx);
    await sql`delete from notice where state != 'WAITING' and ended_at < ${before(keepDays)}`.execute(trx);
    return 'nothing left';
  }
  const tasks = await trx
    .selectFrom('task')
    .select('id')
    .where('run_id', '=', runId)
    .limit(TASKS_AT_ONCE)
    .execute();
  const ids = tasks.length > 0 ? tasks.map(({ id }) => id) : [runId];
  await trx.deleteFrom('script_output').where('subject_id', 'in', ids).execute();
  await trx.deleteFrom('journal_subject').where('id', 'in', ids).execute();
  if (tasks.length === 0) {
    await trx.deleteFrom('run').where('id', '=', runId).execute();
    return 'run removed';
  }
  await trx.deleteFrom('device_guard').where('task_id', 'in', ids).execute();
  await trx.deleteFrom('task').where('id', 'in', ids).execute();
  return 'tasks removed';
}

const before = (keepDays: number) => sql`clock_timestamp() - make_interval(days => ${sql.lit(keepDays)})`;

/** The run that ended first of those that may go; null for none. */
async function oldestRun(trx: Transaction<Tables>, keepDays: number): Promise<string | null> {
  const { rows } = await sql<{ id: string }>`
    select run.id
    from run
    where run.ended_at < ${before(keepDays)}
      and not exists (select from journal_subject s where s.id = run.id and not s.is_ended)
      and not exists (
        select from task
        left join journal_subject s on s.id = task.id
        left join device_guard g on g.task_id = task.id
        where task.run_id = run.id
          and (task.ended_at is null or not s.is_ended or (g.id is not null and g.released_at is null))
      )
      and not exists (
        select from run other where other.ended_at is null and other.spec->>'repeatsRunId' = run.id::text
      )
      and not exists (select from notice where notice.subject_id = run.id and notice.state = 'WAITING')
    order by run.ended_at
    limit 1
  `.execute(trx);
  return rows[0]?.id ?? null;
}
