import type { QuiesceScope, Reason } from '@stillpoint/core';
import { openTestDatabase } from '@stillpoint/database/testing';
import { type EngineTables, type Journal, PostgresJournal } from '@stillpoint/engine';
import { type Kysely, sql, type Transaction } from 'kysely';
import { MemoryDatabase, type MemoryTransaction } from '../../../engine/src/testing/memory-database.ts';
import { MemoryJournal } from '../../../engine/src/testing/memory-journal.ts';
import { StoredDefinitions } from '../adapters/definitions.ts';
import { storedRecords } from '../adapters/stored-records.ts';
import type { Tables } from '../adapters/tables.ts';
import type { NoticeContent } from '../app/notifier.ts';
import type { Definitions } from '../app/ports.ts';
import type { FiresToTell, Records } from '../programs/ports.ts';
import { emptyTables } from './empty-tables.ts';
import { RememberedDefinitions } from './remembered-definitions.ts';
import { rememberedRecords } from './remembered-records.ts';
import { RememberedRows } from './remembered-rows.ts';

/** For tests: how a run or a task stands; instants in milliseconds since the epoch. */
export type Standing = {
  readonly status: string;
  readonly reason: Reason | null;
  readonly warnings: readonly Reason[];
  readonly attempt?: number;
  readonly nextAttemptAt?: number | null;
  readonly startedAt?: number | null;
  readonly endedAt: number | null;
};

/** For tests: a guard as its task left it. */
export type GuardStanding = {
  readonly device: string;
  readonly taskId: string;
  readonly scope: QuiesceScope;
  readonly intendedAt: number;
  readonly quiescedAt: number | null;
  readonly isReleased: boolean;
  readonly problem: string | null;
};

/** For tests: a notice as it stands. */
export type NoticeStanding = {
  readonly noticeId: string;
  readonly channel: string;
  readonly subjectId: string;
  readonly content: NoticeContent;
  readonly state: string;
  readonly attempts: number;
  readonly problem: string | null;
};

/** For tests: records, real ones or doubles, and what can be seen of them. */
export type RecordsGround<Transaction> = {
  readonly records: Records<Transaction>;
  readonly journal: Journal<Transaction>;
  readonly definitions: Pick<Definitions, 'save'>;
  transact<Value>(work: (trx: Transaction) => Promise<Value>): Promise<Value>;
  run(runId: string): Promise<Standing>;
  task(taskId: string): Promise<Standing>;
  guards(): Promise<readonly GuardStanding[]>;
  leftOut(): Promise<readonly (FiresToTell & { readonly planName: string })[]>;
  /** In the order in which they were entered. */
  notices(): Promise<readonly NoticeStanding[]>;
  /** What stood in the way of the last heartbeat; undefined before the first. */
  heartbeatProblem(): Promise<string | null | undefined>;
  backups(): Promise<readonly { taskId: string; planName: string | null; paths: readonly string[] }[]>;
  /** Says that a task does not go on from now on. */
  park(taskId: string): Promise<void>;
  /** Has a task that was parked go on, while nobody has said so yet. */
  goOn(taskId: string): Promise<void>;
  /** Lets time pass for guards, notices and the heartbeat. */
  pass(ms: number): Promise<void>;
  /** Removes everything that is kept. */
  empty(): Promise<void>;
  close(): Promise<void>;
};

/** For tests: the records in a real PostgreSQL. */
export async function storedGround(): Promise<RecordsGround<Transaction<Tables>>> {
  const { kysely: db, close } = await openTestDatabase<Tables>();
  // Kysely's type says which tables may be named; the journal names its own, which are among them.
  const journal: unknown = new PostgresJournal(db as unknown as Kysely<EngineTables>);
  return {
    records: storedRecords(db),
    journal: journal as Journal<Transaction<Tables>>,
    definitions: new StoredDefinitions(db, Buffer.alloc(32)),
    transact: (work) => db.transaction().execute(work),
    run: async (runId) => standingOf(await rowOf(db, 'run', runId)),
    task: async (taskId) => standingOf(await rowOf(db, 'task', taskId)),
    guards: () => guardsIn(db),
    leftOut: () => leftOutIn(db),
    notices: () => noticesIn(db),
    heartbeatProblem: async () => {
      const row = await db.selectFrom('heartbeat').select('last_problem').executeTakeFirst();
      return row?.last_problem;
    },
    backups: () => backupsIn(db),
    park: (taskId) => parkIn(db, taskId),
    goOn: (taskId) => goOnIn(db, taskId),
    pass: (ms) => passIn(db, ms),
    empty: () => emptyTables(db),
    close,
  };
}

function rowOf(db: Kysely<Tables>, table: 'run' | 'task', id: string) {
  return db.selectFrom(table).selectAll().where('id', '=', id).executeTakeFirstOrThrow();
}

function standingOf(row: Awaited<ReturnType<typeof rowOf>>): Standing {
  const { status, reason, warnings, ended_at } = row;
  const ofTask =
    'started_at' in row
      ? {
          attempt: row.attempt,
          nextAttemptAt: row.tried_again_at?.getTime() ?? null,
          startedAt: row.started_at?.getTime() ?? null,
        }
      : {};
  return { status, reason, warnings, ...ofTask, endedAt: ended_at?.getTime() ?? null };
}

async function guardsIn(db: Kysely<Tables>): Promise<readonly GuardStanding[]> {
  const rows = await db.selectFrom('device_guard').selectAll().orderBy('id').execute();
  return rows.map((row) => ({
    device: row.device,
    taskId: row.task_id,
    scope: row.scope,
    intendedAt: row.intended_at.getTime(),
    quiescedAt: row.quiesced_at?.getTime() ?? null,
    isReleased: row.released_at !== null,
    problem: row.last_problem,
  }));
}

async function leftOutIn(db: Kysely<Tables>) {
  const rows = await db.selectFrom('left_out_fire').selectAll().orderBy('id').execute();
  return rows.map(({ plan_name, reason, fires, first_at, last_at, noticed_at, run_id }) => ({
    planName: plan_name,
    reason,
    fires,
    firstAt: first_at.getTime(),
    lastAt: last_at.getTime(),
    noticedAt: noticed_at.getTime(),
    runId: run_id,
  }));
}

async function noticesIn(db: Kysely<Tables>): Promise<readonly NoticeStanding[]> {
  const rows = await db.selectFrom('notice').selectAll().orderBy('number').execute();
  return rows.map((row) => ({
    noticeId: row.id,
    channel: row.channel,
    subjectId: row.subject_id,
    content: row.content,
    state: row.state,
    attempts: row.attempts,
    problem: row.last_problem,
  }));
}

async function backupsIn(db: Kysely<Tables>) {
  const rows = await db
    .selectFrom('backup')
    .innerJoin('backup_file', 'backup_id', 'backup.id')
    .select(['task_id as taskId', 'plan_name as planName', 'path'])
    .orderBy('path')
    .execute();
  const byTask = Map.groupBy(rows, ({ taskId }) => taskId);
  return [...byTask].map(([taskId, files]) => ({
    taskId,
    planName: files[0]?.planName ?? null,
    paths: files.map(({ path }) => path),
  }));
}

async function parkIn(db: Kysely<Tables>, taskId: string): Promise<void> {
  await sql`
    insert into alarm (
      id, code, subject_kind, subject_name, sentence, opened_at, last_seen_at, seen_by, subject_seq
    )
    values (
      gen_random_uuid(), 'TASK_PARKED', 'task', ${taskId}, 'It does not go on.', clock_timestamp(), clock_timestamp(), 'node-1', 0
    )
  `.execute(db);
}

async function goOnIn(db: Kysely<Tables>, taskId: string): Promise<void> {
  await db.insertInto('journal_subject').values({ id: taskId, program: 'task', spec: '{}' }).execute();
  for (const [index, type] of ['takenOver', 'told', 'noted'].entries()) {
    const body = JSON.stringify({ type, at: 0 });
    await db
      .insertInto('journal_fact')
      .values({ subject_id: taskId, seq: index + 1, body })
      .execute();
  }
}

/** Nobody moves the clock of a real database: what has happened lies further back instead. */
async function passIn(db: Kysely<Tables>, ms: number): Promise<void> {
  const passed = sql`make_interval(secs => ${ms / 1000})`;
  await sql`
    update device_guard set left_at = left_at - ${passed}, reconciled_until = reconciled_until - ${passed},
      sending_at = sending_at - ${passed}, doubted_at = doubted_at - ${passed}, next_attempt_at = next_attempt_at - ${passed}
  `.execute(db);
  await sql`update alarm set opened_at = opened_at - ${passed}`.execute(db);
  await sql`
    update notice set next_try_at = next_try_at - ${passed}, waiting_since = waiting_since - ${passed},
      claimed_until = claimed_until - ${passed}
  `.execute(db);
  await sql`update heartbeat set sent_at = sent_at - ${passed}, failing_since = failing_since - ${passed}`.execute(
    db,
  );
}

/** For tests: the doubles in memory that a simulation stands on. */
export async function rememberedGround(): Promise<RecordsGround<MemoryTransaction>> {
  const database = new MemoryDatabase();
  const rows = new RememberedRows();
  const definitions = new RememberedDefinitions({ database });
  const journal = new MemoryJournal(database);
  let now = Date.UTC(2026, 2, 29);
  return {
    records: rememberedRecords(rows, journal, definitions, () => now),
    journal,
    definitions,
    transact: (work) => database.transact(work),
    run: async (runId) => shown(rows.runs.get(runId)),
    task: async (taskId) => shown(rows.tasks.get(taskId)),
    guards: async () =>
      rows.guards.map(({ device, taskId, scope, intendedAt, quiescedAt, releasedAt, problem }) => {
        return { device, taskId, scope, intendedAt, quiescedAt, isReleased: releasedAt !== null, problem };
      }),
    leftOut: async () => rows.leftOut,
    notices: async () =>
      rows.notices.map(({ noticeId, channel, subjectId, content, state, attempts, problem }) => {
        return { noticeId, channel, subjectId, content, state, attempts, problem };
      }),
    heartbeatProblem: async () => (rows.heartbeat.sentAt === null ? undefined : rows.heartbeat.problem),
    backups: async () =>
      [...rows.backups.values()].map(({ taskId, planName, files }) => {
        return { taskId, planName, paths: files.map(({ path }) => path).sort() };
      }),
    park: async (taskId) => void rows.parked.set(taskId, now),
    goOn: async (taskId) => void rows.parked.delete(taskId),
    async pass(ms) {
      now += ms;
    },
    async empty() {
      for (const kept of [rows.runs, rows.tasks, rows.backups, rows.parked, definitions.planRows])
        kept.clear();
      rows.guards.length = 0;
      rows.notices.length = 0;
      Object.assign(rows.heartbeat, { sentAt: null, failingSince: null, problem: null });
      rows.leftOut.length = 0;
    },
    close: async () => undefined,
  };
}

function shown(row: Standing | undefined): Standing {
  if (row === undefined) throw new Error('There is no such row.');
  const { status, reason, warnings, attempt, nextAttemptAt, startedAt, endedAt } = row;
  const ofTask = startedAt === undefined ? {} : { attempt, nextAttemptAt, startedAt };
  return { status, reason, warnings, ...ofTask, endedAt } as Standing;
}
