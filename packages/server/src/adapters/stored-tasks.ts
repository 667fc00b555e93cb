import type { TaskCounts, TaskToRepeat, TaskVerdict } from '@stillpoint/core';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { NewTask, NextAttempt, TaskRecords } from '../programs/ports.ts';
import type { Tables } from './tables.ts';
import { tasksToRepeat } from './tasks-to-repeat.ts';

/** Rows that go into one statement; PostgreSQL takes 65,535 values in one. */
const ROWS_AT_ONCE = 1000;

/** The tasks, kept in the database. */
export class StoredTasks implements TaskRecords<Transaction<Tables>> {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async replaceTasks(trx: Transaction<Tables>, runId: string, tasks: readonly NewTask[]): Promise<void> {
    const old = trx.selectFrom('task').select('id').where('run_id', '=', runId);
    await trx.deleteFrom('journal_subject').where('id', 'in', old).execute();
    await trx.deleteFrom('task').where('run_id', '=', runId).execute();
    for (let from = 0; from < tasks.length; from += ROWS_AT_ONCE) {
      const rows = tasks.slice(from, from + ROWS_AT_ONCE).map(rowOf);
      await trx.insertInto('task').values(rows).execute();
    }
  }

  async waitingTasks(trx: Transaction<Tables>, runId: string) {
    return trx
      .selectFrom('task')
      .select(['id as taskId', 'number', 'device'])
      .where('run_id', '=', runId)
      .where('status', '=', 'WAITING')
      .orderBy('number')
      .execute();
  }

  async unfinishedTasks(runId: string, includesRunning: boolean): Promise<readonly string[]> {
    const rows = await this.#db
      .selectFrom('task')
      .select('id')
      .where('run_id', '=', runId)
      .where('status', 'in', includesRunning ? ['WAITING', 'RUNNING'] : ['WAITING'])
      .orderBy('number')
      .execute();
    return rows.map(({ id }) => id);
  }

  tasksToRepeat(runId: string): Promise<readonly TaskToRepeat[]> {
    return tasksToRepeat(this.#db, runId);
  }

  async countTasks(runId: string): Promise<TaskCounts> {
    const rows = await this.#db
      .selectFrom('task')
      .select((row) => ['status', row.fn.countAll<number>().as('count')])
      .where('run_id', '=', runId)
      .groupBy('status')
      .execute();
    const counts = { waiting: 0, running: 0, succeeded: 0, failed: 0, skipped: 0, cancelled: 0 };
    for (const { status, count } of rows) counts[status.toLowerCase() as keyof TaskCounts] = count;
    return counts;
  }

  async markStarted(trx: Transaction<Tables>, taskId: string, at: number): Promise<void> {
    await trx
      .updateTable('task')
      .set({
        status: 'RUNNING',
        reason: null,
        started_at: sql<Date>`coalesce(started_at, ${new Date(at)})`,
        tried_again_at: null,
      })
      .where('id', '=', taskId)
      .execute();
  }

  async markPutOff(
    trx: Transaction<Tables>,
    taskId: string,
    { attempt, at, reason }: NextAttempt,
  ): Promise<void> {
    await trx
      .updateTable('task')
      .set({ status: 'WAITING', attempt, reason: JSON.stringify(reason), tried_again_at: new Date(at) })
      .where('id', '=', taskId)
      .execute();
  }

  async endTask(
    trx: Transaction<Tables>,
    taskId: string,
    at: number,
    { status, reason, warnings }: TaskVerdict,
  ): Promise<void> {
    await trx
      .updateTable('task')
      .set({
        status,
        reason: reason === null ? null : JSON.stringify(reason),
        warnings: JSON.stringify(warnings),
        tried_again_at: null,
        ended_at: new Date(at),
      })
      .where('id', '=', taskId)
      .execute();
  }
}

function rowOf({ spec, activityIndex, skipped }: NewTask) {
  const queued_at = new Date(spec.queuedAt);
  return {
    id: spec.taskId,
    run_id: spec.runId,
    activity_index: activityIndex,
    action: spec.action,
    device: spec.device,
    domain: spec.domain,
    spec: JSON.stringify(spec),
    status: skipped === null ? ('WAITING' as const) : ('SKIPPED' as const),
    reason: skipped === null ? null : JSON.stringify(skipped),
    queued_at,
    started_at: null,
    ended_at: skipped === null ? null : queued_at,
  };
}
