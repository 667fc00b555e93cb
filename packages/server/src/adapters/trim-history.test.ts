import type { Database } from '@stillpoint/database';
import { openTestDatabase } from '@stillpoint/database/testing';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { emptyTables } from '../testing/empty-tables.ts';
import { sampleTask } from '../testing/sample-task.ts';
import { seedRun, seedTask } from '../testing/seed-run.ts';
import type { Tables } from './tables.ts';
import { trimHistory } from './trim-history.ts';

const DAY_MS = 86_400_000;

let database: Database<Tables>;
let db: Kysely<Tables>;

beforeAll(async () => {
  database = await openTestDatabase<Tables>();
  db = database.kysely;
});
beforeEach(() => emptyTables(db));
afterAll(() => database.close());

/** A run that ended so many days ago, with so many tasks, all with journals and all that belongs to them. */
async function ended(daysAgo: number, tasks: number): Promise<{ runId: string; taskIds: string[] }> {
  const at = Date.now() - daysAgo * DAY_MS;
  const { runId } = await seedRun(db, { status: 'SUCCEEDED' });
  await db
    .updateTable('run')
    .set({ ended_at: new Date(at) })
    .where('id', '=', runId)
    .execute();
  const specs = Array.from({ length: tasks }, () => sampleTask({ runId }));
  for (const spec of specs) await seedTask(db, spec, { status: 'SUCCEEDED', endedAt: at });
  const taskIds = specs.map(({ taskId }) => taskId);
  for (const id of [runId, ...taskIds]) await journal(id);
  return { runId, taskIds };
}

async function journal(id: string): Promise<void> {
  await db
    .insertInto('journal_subject')
    .values({ id, program: 'task', spec: '{}', is_ended: true })
    .execute();
  await db.insertInto('journal_fact').values({ subject_id: id, seq: 1, body: '{}' }).execute();
  const output = {
    phase: 'pre',
    script: 'a.sh',
    exit_code: 0,
    output: 'done',
    ended_at: new Date(),
  } as const;
  await db
    .insertInto('script_output')
    .values({ subject_id: id, ...output })
    .execute();
}

async function guard(taskId: string, isReleased: boolean): Promise<void> {
  await sql`
    insert into device_guard (device, task_id, scope, intended_at, released_at)
    values (${taskId}, ${taskId}, '{"kind":"device"}', now(), case when ${isReleased} then now() end)
  `.execute(db);
}

async function counts(): Promise<Record<string, number>> {
  const names = ['run', 'task', 'journal_subject', 'journal_fact', 'script_output', 'device_guard'] as const;
  const entries = names.map(async (name) => {
    const { rows } = await sql<{ n: number }>`select count(*)::int4 as n from ${sql.table(name)}`.execute(db);
    return [name, rows[0]?.n ?? 0] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

describe('the history', () => {
  it('loses runs that ended too long ago with all that belongs to them, and keeps the rest', async () => {
    const old = await ended(31, 3);
    await guard(old.taskIds[0] ?? '', true);
    await ended(29, 2);
    expect(await trimHistory(db, 30)).toBe(1);
    expect(await counts()).toEqual({
      run: 1,
      task: 2,
      journal_subject: 3,
      journal_fact: 3,
      script_output: 3,
      device_guard: 0,
    });
    expect(await trimHistory(db, 30)).toBe(0);
  });

  it('loses a run of many tasks piece by piece', async () => {
    await ended(31, 1);
    await sql`
      insert into task (id, run_id, activity_index, action, device, spec, status, queued_at, ended_at)
      select gen_random_uuid(), id, 0, 'SECURE_BACKUP', 'QA1', '{}', 'SUCCEEDED', now(), now()
      from run, generate_series(1, 1200)
    `.execute(db);
    expect(await trimHistory(db, 30)).toBe(1);
    expect(await counts()).toMatchObject({ run: 0, task: 0, journal_subject: 0 });
  });

  it('keeps what has not ended, what is guarded, what is being repeated and what is still to be told', async () => {
    const unfinished = await ended(40, 1);
    await sql`update task set ended_at = null, status = 'RUNNING' where run_id = ${unfinished.runId}`.execute(
      db,
    );
    const guarded = await ended(40, 2);
    await guard(guarded.taskIds[1] ?? '', false);
    const driven = await ended(40, 1);
    await sql`update journal_subject set is_ended = false where id = ${driven.taskIds[0]}`.execute(db);
    const going = await ended(40, 0);
    await sql`update journal_subject set is_ended = false where id = ${going.runId}`.execute(db);
    const repeated = await ended(40, 1);
    await seedRun(db, { repeatsRunId: repeated.runId });
    const told = await ended(40, 1);
    await sql`
      insert into notice (id, channel, event, subject_id, content, created_at, waiting_since, next_try_at)
      values (gen_random_uuid(), 'email', 'run', ${told.runId}, '{}', now(), now(), now())
    `.execute(db);
    const gone = await ended(40, 1);
    expect(await trimHistory(db, 30)).toBe(1);
    const left = await db.selectFrom('run').select('id').where('ended_at', 'is not', null).execute();
    const kept = [unfinished, guarded, driven, going, repeated, told].map(({ runId }) => runId);
    expect(left.map(({ id }) => id).sort()).toEqual(kept.sort());
    expect(left).not.toContainEqual({ id: gone.runId });
  });

  it('never loses a backup, and forgets what was told of fires long ago', async () => {
    const { runId, taskIds } = await ended(40, 1);
    await sql`
      insert into backup (id, task_id, action, device, state, taken_at, run_id)
      values (gen_random_uuid(), ${taskIds[0]}, 'SECURE_BACKUP', 'QA1', 'good', now() - interval '40 days', ${runId})
    `.execute(db);
    await sql`
      insert into left_out_fire (plan_name, reason, fires, first_at, last_at, noticed_at)
      select 'nightly', 'MISSED', 1, at, at, at
      from (values (now() - interval '31 days'), (now())) as fire(at)
    `.execute(db);
    await trimHistory(db, 30);
    expect(await db.selectFrom('backup').select('run_id').execute()).toEqual([{ run_id: runId }]);
    expect(await db.selectFrom('left_out_fire').select('reason').execute()).toHaveLength(1);
  });

  it('is trimmed by one node at a time', async () => {
    await ended(40, 1);
    await db.transaction().execute(async (trx) => {
      await sql`select pg_advisory_xact_lock(${0x68697374})`.execute(trx);
      expect(await trimHistory(db, 30)).toBe(0);
    });
    const both = await Promise.all([trimHistory(db, 30), trimHistory(db, 30)]);
    expect(both.reduce((sum, runs) => sum + runs)).toBe(1);
  });

  it('is let alone by who is told to stop', async () => {
    await ended(40, 1);
    expect(await trimHistory(db, 30, AbortSignal.abort())).toBe(0);
  });
});

it('notices that were delivered or given up leave with the runs of their time, those that wait stay', async () => {
  const enter = (state: string, daysAgo: number) =>
    sql`
      insert into notice (id, channel, event, subject_id, content, state, created_at, waiting_since, next_try_at, ended_at)
      values (gen_random_uuid(), 'email', 'TEST', gen_random_uuid(), '{}', ${state}, now(), now(), now(),
        now() - make_interval(days => ${daysAgo}))
    `.execute(db);
  for (const state of ['DELIVERED', 'GIVEN_UP', 'WAITING'])
    for (const days of [9, 11]) await enter(state, days);
  await trimHistory(db, 10);
  const left = await db.selectFrom('notice').select('state').orderBy('state').execute();
  expect(left.map(({ state }) => state)).toEqual(['DELIVERED', 'GIVEN_UP', 'WAITING', 'WAITING']);
});
