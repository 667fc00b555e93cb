import type { Queue, QueueEntry } from '@stillpoint/engine';
import type { Kysely, Transaction } from 'kysely';
import { RUN_PROGRAM } from '../programs/run-program.ts';
import { TASK_PROGRAM } from '../programs/task-program.ts';
import type { Tables } from './tables.ts';

type QueueOfTables = Queue<Transaction<Tables>>;

/** One enqueueing takes no more: PostgreSQL counts the values of a statement. */
const ROWS_AT_ONCE = 1000;

/**
 * Queues what an imported database has left to do, for the queue is not part of an export: runs and begun tasks first,
 * then what waits, each device's tasks in their order. To be called before any engine starts on the database; of nodes
 * that start together one does each step and the others wait. Answers how many subjects were queued; does nothing, and opens
 * no queue, when nothing was imported since.
 */
export async function rebuildQueue(db: Kysely<Tables>, openQueue: () => QueueOfTables): Promise<number> {
  if ((await lastImport(db)) === undefined) return 0;
  const queue = openQueue();
  try {
    await queue.start([RUN_PROGRAM, TASK_PROGRAM]);
    // Two transactions, because within one PostgreSQL's clock stands still, and what was queued earlier comes first.
    const begun = await inImport(db, 'is_begun_work_queued', async (trx) => {
      await forgetHolders(trx);
      const runs = await openRuns(trx);
      const tasks = await openTasks(trx, 'RUNNING');
      await enqueueAll(queue, trx, RUN_PROGRAM, runs);
      await enqueueAll(queue, trx, TASK_PROGRAM, tasks);
      return runs.length + tasks.length;
    });
    const waiting = await inImport(db, 'is_all_work_queued', async (trx) => {
      const tasks = await openTasks(trx, 'WAITING');
      await enqueueAll(queue, trx, TASK_PROGRAM, tasks);
      return tasks.length;
    });
    return begun + waiting;
  } finally {
    await queue.stop();
  }
}

type Stage = 'is_begun_work_queued' | 'is_all_work_queued';

/** The import whose work is not queued yet; of several in the life of the data only the last counts. */
async function lastImport(db: Kysely<Tables>): Promise<number | undefined> {
  const row = await db
    .selectFrom('database_import')
    .select(['number', 'is_all_work_queued'])
    .orderBy('number', 'desc')
    .executeTakeFirst();
  return row === undefined || row.is_all_work_queued ? undefined : row.number;
}

/** Does one stage of the last import, unless it is done; whoever comes second waits for the first. */
async function inImport(
  db: Kysely<Tables>,
  stage: Stage,
  work: (trx: Transaction<Tables>) => Promise<number>,
): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const row = await trx
      .selectFrom('database_import')
      .selectAll()
      .orderBy('number', 'desc')
      .limit(1)
      .forUpdate()
      .executeTakeFirstOrThrow();
    if (row[stage]) return 0;
    const count = await work(trx);
    await trx.updateTable('database_import').set(stage, true).where('number', '=', row.number).execute();
    return count;
  });
}

/** Attempts are counted anew, and who held a subject does so in the database that was exported, not in this one. */
async function forgetHolders(trx: Transaction<Tables>): Promise<void> {
  await trx
    .updateTable('journal_subject')
    .set({ token: 0, node_id: null })
    .where('is_ended', '=', false)
    .execute();
}

async function openRuns(trx: Transaction<Tables>): Promise<QueueEntry[]> {
  const rows = await trx
    .selectFrom('journal_subject as subject')
    .innerJoin('run', 'run.id', 'subject.id')
    .select(['run.id', 'run.number'])
    .where('subject.program', '=', RUN_PROGRAM)
    .where('subject.is_ended', '=', false)
    .orderBy('run.number')
    .execute();
  return rows.map(({ id, number }) => ({ subjectId: id, key: id, order: number }));
}

/** Tasks that wait are queued by their run once its pre-plan script is done; a run that is RUNNING has done so. */
async function openTasks(trx: Transaction<Tables>, status: 'RUNNING' | 'WAITING'): Promise<QueueEntry[]> {
  const rows = await trx
    .selectFrom('journal_subject as subject')
    .innerJoin('task', 'task.id', 'subject.id')
    .innerJoin('run', 'run.id', 'task.run_id')
    .select(['task.id', 'task.number', 'task.device'])
    .where('subject.program', '=', TASK_PROGRAM)
    .where('subject.is_ended', '=', false)
    .where('task.status', '=', status)
    .where((row) =>
      status === 'RUNNING' ? row.val(true) : row('run.status', 'not in', ['QUEUED', 'VALIDATING']),
    )
    .orderBy('task.number')
    .execute();
  return rows.map(({ id, number, device }) => ({ subjectId: id, key: device, order: number }));
}

async function enqueueAll(
  queue: QueueOfTables,
  trx: Transaction<Tables>,
  program: string,
  entries: readonly QueueEntry[],
): Promise<void> {
  for (let from = 0; from < entries.length; from += ROWS_AT_ONCE)
    await queue.enqueue(trx, program, entries.slice(from, from + ROWS_AT_ONCE));
}
