import { randomUUID } from 'node:crypto';
import type { Database } from '@stillpoint/database';
import { openTestDatabase } from '@stillpoint/database/testing';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { emptyTables } from '../testing/empty-tables.ts';
import { samplePlan } from '../testing/sample-plan.ts';
import { sampleTask } from '../testing/sample-task.ts';
import { seedRun, seedTask } from '../testing/seed-run.ts';
import { StoredDefinitions } from './definitions.ts';
import { StoredPlanHistory } from './stored-plan-history.ts';
import { StoredPlans } from './stored-plans.ts';
import type { Tables } from './tables.ts';

let database: Database<Tables>;
let db: Kysely<Tables>;

beforeAll(async () => {
  database = await openTestDatabase<Tables>();
  db = database.kysely;
});
beforeEach(() => emptyTables(db));
afterAll(() => database.close());

const at = (text: string): number => Date.parse(`2026-03-01T${text}Z`);

describe('the fires that started no run', () => {
  beforeEach(async () => {
    const plans = ['nightly', 'weekly', 'other'].map((name) => samplePlan({ name }));
    await new StoredDefinitions(db, Buffer.alloc(32)).save({ parameters: {}, devices: [], plans });
  });

  const tell = async (
    plan: string,
    reason: 'MISSED' | 'OVERLAP',
    fires: number,
    runId: string | null,
    hour: number,
  ) => {
    const firstAt = at('00:00:00') + hour * 3_600_000;
    const told = {
      reason,
      fires,
      firstAt,
      lastAt: firstAt + (fires - 1) * 1_000,
      noticedAt: firstAt + 60_000,
      runId,
    };
    await db.transaction().execute((trx) => new StoredPlans(db).tellLeftOut(trx, plan, told));
  };
  const sentences = async (plan: string): Promise<string[]> =>
    ((await new StoredPlanHistory(db).leftOutFires()).get(plan) ?? []).map(({ sentence }) => sentence);

  it('are told in sentences that say why', async () => {
    const runId = randomUUID();
    await tell('nightly', 'MISSED', 1, null, 1);
    await tell('nightly', 'MISSED', 100, runId, 2);
    await tell('nightly', 'OVERLAP', 2, runId, 3);
    expect(await sentences('nightly')).toEqual([
      `2 fires from 2026-03-01T03:00:00.000Z to 2026-03-01T03:00:01.000Z were left out because run ${runId} of the plan had not ended.`,
      `100 fires or more from 2026-03-01T02:00:00.000Z to 2026-03-01T02:01:39.000Z were missed; run ${runId} made up for it at 2026-03-01T02:01:00.000Z.`,
      'The fire of 2026-03-01T01:00:00.000Z was missed and left out: no server was there in time, which was noticed at 2026-03-01T01:01:00.000Z.',
    ]);
  });

  it('are the last five of each plan, newest first', async () => {
    for (let hour = 1; hour <= 7; hour += 1) await tell('nightly', 'MISSED', 1, null, hour);
    await tell('weekly', 'MISSED', 1, null, 1);
    expect((await sentences('nightly')).map((sentence) => sentence.slice(12, 28))).toEqual([
      '2026-03-01T07:00',
      '2026-03-01T06:00',
      '2026-03-01T05:00',
      '2026-03-01T04:00',
      '2026-03-01T03:00',
    ]);
    expect(await sentences('weekly')).toHaveLength(1);
    expect(await sentences('other')).toEqual([]);
  });
});

describe('earlier backups', () => {
  type Kept = {
    action?: 'SECURE_BACKUP' | 'EXPORT_DOMAIN';
    device?: string;
    domain?: string | null;
    state?: string;
  };

  /** A backup of so many bytes in files of half the size; its task took a minute and a half, unless it has left the history. */
  async function keep(
    bytes: number,
    hour: number,
    { isTaskKept = true, ...more }: Kept & { isTaskKept?: boolean } = {},
  ) {
    const { action = 'EXPORT_DOMAIN', device = 'QA1', domain = 'A', state = 'good' } = more;
    const { runId } = await seedRun(db);
    const task = sampleTask({ runId, action, device, domain });
    const endedAt = at('00:00:00') + hour * 3_600_000;
    if (isTaskKept) await seedTask(db, task, { status: 'SUCCEEDED', endedAt });
    await sql`update task set started_at = ended_at - interval '90 seconds' where id = ${task.taskId}`.execute(
      db,
    );
    for (const isPersisted of [true, false]) {
      const id = randomUUID();
      await sql`
        insert into backup (id, task_id, is_persisted, action, device, domain, state, taken_at)
        values (${id}, ${task.taskId}, ${isPersisted}, ${action}, ${device}, ${domain}, ${state}, ${new Date(endedAt)})
      `.execute(db);
      await sql`
        insert into backup_file (backup_id, path, size_bytes, sha256) values (${id}, ${id}, ${bytes / 2}, 'f')
      `.execute(db);
    }
  }

  const place = (
    device: string,
    domain: string | null,
    action: 'SECURE_BACKUP' | 'EXPORT_DOMAIN' = 'EXPORT_DOMAIN',
  ) => ({ device, domain, action }) as const;
  const find = (...places: ReturnType<typeof place>[]) => new StoredPlanHistory(db).earlierBackups(places);

  it('are the last good ones of each place, with all their files and the time of their task', async () => {
    await keep(100, 1);
    await keep(200, 3);
    await keep(300, 2);
    await keep(400, 4, { state: 'damaged' });
    await keep(900, 1, { action: 'SECURE_BACKUP', domain: null });
    expect(await find(place('QA1', 'A'), place('QA1', null, 'SECURE_BACKUP'))).toEqual([
      { sizeBytes: 200, durationMs: 90_000 },
      { sizeBytes: 900, durationMs: 90_000 },
    ]);
  });

  it('stand in the order of the places, with null where there is none', async () => {
    await keep(100, 1, { device: 'QA2', domain: 'B' });
    const places = [place('QA1', 'B'), place('QA2', 'B'), place('QA2', 'b'), place('QA2', 'B')];
    expect(await find(...places)).toEqual([
      null,
      { sizeBytes: 100, durationMs: 90_000 },
      null,
      { sizeBytes: 100, durationMs: 90_000 },
    ]);
    expect(await find()).toEqual([]);
  });

  it('have no time when their task has left the history', async () => {
    await keep(100, 1, { isTaskKept: false });
    expect(await find(place('QA1', 'A'))).toEqual([{ sizeBytes: 100, durationMs: null }]);
  });
});

it('a plan takes as long as its last run that had something to do', async () => {
  const definitions = new StoredDefinitions(db, Buffer.alloc(32));
  await definitions.save({ parameters: {}, devices: [], plans: [samplePlan(), samplePlan({ name: 'new' })] });
  for (const [status, minutes] of [
    ['SUCCEEDED', 9],
    ['PARTIAL', 5],
    ['SKIPPED', 1],
    ['RUNNING', 0],
  ] as const) {
    const { runId } = await seedRun(db, { status });
    const ended = sql`queued_at + make_interval(mins => ${minutes})`;
    await sql`update run set ended_at = ${ended} where id = ${runId}`.execute(db);
  }
  expect(await new StoredPlanHistory(db).lastDurationsMs()).toEqual(new Map([['nightly', 300_000]]));
});
