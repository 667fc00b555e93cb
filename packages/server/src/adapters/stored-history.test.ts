import { randomUUID } from 'node:crypto';
import { type Reason, type RunSpec, reasonOf } from '@stillpoint/core';
import type { Database } from '@stillpoint/database';
import { openTestDatabase } from '@stillpoint/database/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Page } from '../app/application.ts';
import { emptyTables } from '../testing/empty-tables.ts';
import { samplePlan } from '../testing/sample-plan.ts';
import { sampleQueuedAt, sampleSecureBackup, sampleTask } from '../testing/sample-task.ts';
import { seedRun, seedTask } from '../testing/seed-run.ts';
import { StoredDefinitions } from './definitions.ts';
import { insertBackup } from './insert-backup.ts';
import { StoredHistory } from './stored-history.ts';
import type { Tables } from './tables.ts';

const nobody = randomUUID();
let database: Database<Tables>;
let history: StoredHistory;

beforeAll(async () => {
  database = await openTestDatabase<Tables>();
  history = new StoredHistory(database.kysely, (code) => (code === 'KNOWN' ? 'Do this.' : ''));
});

afterAll(() => database.close());

beforeEach(() => emptyTables(database.kysely));

/** Reads a list page by page, as a client does; answers its pages. */
async function pagesOf<Item>(
  read: (cursor: string | undefined) => Promise<Page<Item> | null>,
): Promise<Item[][]> {
  const pages: Item[][] = [];
  let cursor: string | undefined;
  do {
    const page = await read(cursor);
    if (page === null) throw new Error(`The cursor ${cursor} was not taken.`);
    pages.push(page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return pages;
}

const idsOf = (pages: { id: string }[][]): string[][] => pages.map((items) => items.map(({ id }) => id));

describe('runs', () => {
  it('are shown with what they were asked for and what came of them', async () => {
    const reason: Reason = { code: 'KNOWN', detail: 'It was full.' };
    const spec = await seedRun(database.kysely, {
      status: 'FAILED',
      reason,
      windowOverrideReason: 'an emergency',
    });
    await database.kysely
      .updateTable('run')
      .set({
        warnings: JSON.stringify([reasonOf('INTERRUPTED', 'The script failed.')]),
        ended_at: new Date(sampleQueuedAt + 5),
      })
      .execute();
    expect(await history.run(spec.runId)).toEqual({
      id: spec.runId,
      plan: 'nightly',
      trigger: 'request',
      status: 'FAILED',
      reasonCode: 'KNOWN',
      sentence: 'It was full. Do this.',
      startedAt: '2026-03-29T01:00:00.000Z',
      endedAt: '2026-03-29T01:00:00.005Z',
      windowOverrideReason: 'an emergency',
      repeatsRunId: null,
      counters: {
        devices: 0,
        domains: 0,
        waiting: 0,
        running: 0,
        succeeded: 0,
        failed: 0,
        skipped: 0,
        cancelled: 0,
      },
      warnings: ['The script failed.'],
    });
  });

  it('are listed newest first, page by page, none twice and none left out', async () => {
    const specs: RunSpec[] = [];
    for (let count = 0; count < 5; count += 1) specs.push(await seedRun(database.kysely));
    const ids = specs.map(({ runId }) => runId).toReversed();
    const [a = '', b = '', c = '', d = '', e = ''] = ids;
    const pages = await pagesOf((cursor) => history.runs({ limit: 2, cursor }));
    expect(idsOf(pages)).toEqual([[a, b], [c, d], [e]]);
    expect(idsOf(await pagesOf((cursor) => history.runs({ limit: 5, cursor })))).toEqual([ids]);
  });

  it('that come while a list is read do not move its pages', async () => {
    const old = await seedRun(database.kysely);
    await seedRun(database.kysely);
    const first = await history.runs({ limit: 1 });
    await seedRun(database.kysely);
    const second = await history.runs({ limit: 1, cursor: first?.nextCursor ?? '' });
    expect(second?.items.map(({ id }) => id)).toEqual([old.runId]);
  });

  it('can be asked for by plan and by status', async () => {
    const weekly = await seedRun(database.kysely, { plan: samplePlan({ name: 'weekly' }), status: 'FAILED' });
    const nightly = await seedRun(database.kysely, { status: 'FAILED' });
    await seedRun(database.kysely, { status: 'SUCCEEDED' });
    const failed = await pagesOf((cursor) => history.runs({ limit: 9, cursor, status: 'FAILED' }));
    expect(idsOf(failed)).toEqual([[nightly.runId, weekly.runId]]);
    const both = await pagesOf((cursor) =>
      history.runs({ limit: 9, cursor, status: 'FAILED', plan: 'weekly' }),
    );
    expect(idsOf(both)).toEqual([[weekly.runId]]);
    expect(await history.runs({ limit: 9, plan: 'none' })).toEqual({ items: [], nextCursor: null });
  });

  it('the newest of each plan is its last', async () => {
    const plans = ['nightly', 'weekly', 'never'].map((name) => samplePlan({ name }));
    const definitions = new StoredDefinitions(database.kysely, Buffer.alloc(32));
    await definitions.save({ parameters: {}, devices: [], plans });
    await seedRun(database.kysely, { status: 'FAILED' });
    const last = await seedRun(database.kysely, { status: 'SUCCEEDED' });
    const weekly = await seedRun(database.kysely, { plan: samplePlan({ name: 'weekly' }) });
    const startedAt = '2026-03-29T01:00:00.000Z';
    expect([...(await history.lastRuns())].toSorted()).toEqual([
      ['nightly', { id: last.runId, status: 'SUCCEEDED', startedAt }],
      ['weekly', { id: weekly.runId, status: 'RUNNING', startedAt }],
    ]);
  });

  it.each(['nightly', nobody, '', "' or true --", nobody.toUpperCase()])(
    'there is none of the id %j',
    async (id) => {
      expect(await history.run(id)).toBeNull();
      expect(await history.task(id)).toBeNull();
    },
  );
});

describe('the counters of a run', () => {
  const counters = async ({ runId }: RunSpec) => (await history.run(runId))?.counters;

  it('count devices and domains that were to be backed up, whatever the outcome, and tasks by outcome', async () => {
    const run = await seedRun(database.kysely);
    const unavailable = {
      status: 'SKIPPED',
      reason: reasonOf('SKIPPED_DEVICE_NOT_AVAILABLE', 'It is down.'),
    } as const;
    await seedTask(database.kysely, sampleSecureBackup({ ...run, device: 'QA1' }), { status: 'SUCCEEDED' });
    await seedTask(database.kysely, sampleSecureBackup({ ...run, device: 'QA2' }), { status: 'FAILED' });
    await seedTask(database.kysely, sampleSecureBackup({ ...run, device: 'QA3' }), { status: 'CANCELLED' });
    await seedTask(database.kysely, sampleTask({ ...run, device: 'TEST8', domain: 'DOMAIN1' }), {
      status: 'WAITING',
    });
    await seedTask(database.kysely, sampleTask({ ...run, device: 'TEST8', domain: 'DOMAIN2' }), {
      status: 'RUNNING',
    });
    await seedTask(database.kysely, sampleTask({ ...run, device: 'TEST9', domain: 'DOMAIN*' }), unavailable);
    expect(await counters(run)).toEqual({
      ...{ devices: 5, domains: 3 },
      ...{ waiting: 1, running: 1, succeeded: 1, failed: 1, skipped: 1, cancelled: 1 },
    });
  });

  it('count a device and a domain once, however many tasks they have', async () => {
    const run = await seedRun(database.kysely);
    for (const device of ['QA1', 'QA1', 'QA2'])
      await seedTask(database.kysely, sampleTask({ ...run, device }));
    await seedTask(database.kysely, sampleSecureBackup(run));
    expect(await counters(run)).toMatchObject({ devices: 2, domains: 2, running: 4 });
  });

  it('count no domain for an export of all, and one for a domain that is really called so', async () => {
    const run = await seedRun(database.kysely);
    await seedTask(database.kysely, sampleTask({ ...run, domain: 'all-domains', isAllDomains: true }));
    expect(await counters(run)).toMatchObject({ devices: 1, domains: 0 });
    await seedTask(database.kysely, sampleTask({ ...run, domain: 'all-domains', isAllDomains: false }));
    expect(await counters(run)).toMatchObject({ devices: 1, domains: 1 });
  });

  it.each(['SKIPPED_NO_DEVICES_MATCHING_PATTERN', 'SKIPPED_NO_DOMAINS_MATCHING_PATTERN'] as const)(
    'count nothing for a pattern that matched nothing (%s)',
    async (code) => {
      const run = await seedRun(database.kysely);
      const skipped = { status: 'SKIPPED', reason: reasonOf(code, 'Nothing matches.') } as const;
      await seedTask(database.kysely, sampleTask({ ...run, device: 'QA*', domain: 'DOMAIN*' }), skipped);
      expect(await counters(run)).toMatchObject({ devices: 0, domains: 0, skipped: 1 });
    },
  );

  it('of one run do not count the tasks of another', async () => {
    const [one, other] = [await seedRun(database.kysely), await seedRun(database.kysely)];
    await seedTask(database.kysely, sampleTask(one));
    expect(await counters(other)).toMatchObject({ devices: 0, running: 0 });
  });
});

describe('tasks', () => {
  it('are listed in the order of creation, page by page', async () => {
    const run = await seedRun(database.kysely);
    const tasks = Array.from({ length: 5 }, () => sampleTask(run));
    await seedTask(database.kysely, sampleTask(await seedRun(database.kysely)));
    for (const task of tasks) await seedTask(database.kysely, task);
    const [a = '', b = '', c = '', d = '', e = ''] = tasks.map(({ taskId }) => taskId);
    const pages = await pagesOf((cursor) => history.tasks(run.runId, { limit: 2, cursor }));
    expect(idsOf(pages)).toEqual([[a, b], [c, d], [e]]);
  });

  it('are shown with their files, both parts of an export, and the steps of their journal', async () => {
    const run = await seedRun(database.kysely);
    const spec = sampleTask(run);
    await seedTask(database.kysely, spec, {
      status: 'FAILED',
      reason: { code: 'OTHER', detail: 'It failed.' },
    });
    const identity = { serialNumber: null, model: null, firmwareVersion: null, firmwareBuild: null };
    const files = ['b.zip', 'a.zip'].map((path, index) => ({
      path,
      sizeBytes: 1,
      sha256: 'f'.repeat(64),
      isPersisted: index === 0,
    }));
    const { taskId, runId, action, device, domain } = spec;
    await database.kysely.transaction().execute(async (trx) => {
      await insertBackup(trx, {
        taskId,
        action,
        device,
        domain,
        identity,
        takenAt: 0,
        files,
        planName: null,
        runId,
      });
      await trx
        .insertInto('journal_subject')
        .values({ id: taskId, program: 'task', spec: JSON.stringify(spec), node_id: null })
        .execute();
      const facts = [
        { type: 'intended', at: 1, effect: { type: 'runPreScript' } },
        {
          type: 'settled',
          at: 2,
          effect: { type: 'runPreScript' },
          reply: { ok: true, value: { exitCode: 0 } },
        },
      ];
      for (const [index, fact] of facts.entries()) {
        await trx
          .insertInto('journal_fact')
          .values({ subject_id: taskId, seq: index + 1, body: JSON.stringify(fact) })
          .execute();
      }
    });
    expect(await history.task(taskId)).toMatchObject({
      id: taskId,
      runId,
      status: 'FAILED',
      reasonCode: 'OTHER',
      sentence: 'It failed.',
      files: [{ path: 'a.zip' }, { path: 'b.zip' }],
      steps: [{ name: 'runPreScript', outcome: 'succeeded' }],
    });
    const [listed] = (await history.tasks(runId, { limit: 1 }))?.items ?? [];
    expect(listed?.files.map(({ path }) => path)).toEqual(['a.zip', 'b.zip']);
    expect(listed).not.toHaveProperty('steps');
  });
});

describe('backups', () => {
  const enter = async (takenAt: number, more: { device?: string; domain?: string | null } = {}) => {
    const taskId = randomUUID();
    const identity = { serialNumber: null, model: null, firmwareVersion: null, firmwareBuild: null };
    const files = [{ path: `${taskId}.zip`, sizeBytes: 1, sha256: 'f'.repeat(64), isPersisted: true }];
    const place = {
      action: 'EXPORT_DOMAIN',
      device: 'QA1',
      domain: 'DOMAIN1',
      planName: null,
      runId: null,
      ...more,
    } as const;
    await database.kysely
      .transaction()
      .execute((trx) => insertBackup(trx, { taskId, ...place, identity, takenAt, files }));
    return taskId;
  };

  it('are listed newest first, page by page, also those of one instant', async () => {
    const sameInstant = [await enter(5), await enter(5), await enter(5)];
    const newest = await enter(9);
    const oldest = await enter(1);
    const pages = await pagesOf((cursor) => history.backups({ limit: 2, cursor }));
    const tasks = pages.map((items) => items.map(({ taskId }) => taskId ?? ''));
    expect(tasks.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(tasks[0]?.[0]).toBe(newest);
    expect(tasks[2]?.[0]).toBe(oldest);
    expect(tasks.flat().slice(1, 4).toSorted()).toEqual(sameInstant.toSorted());
  });

  it('can be asked for by device and by domain', async () => {
    const one = await enter(1);
    const other = await enter(2, { device: 'QA2' });
    const secure = await enter(3, { domain: null });
    const tasks = async (query: { device?: string; domain?: string }) =>
      (await history.backups({ limit: 9, ...query }))?.items.map(({ taskId }) => taskId);
    expect(await tasks({ device: 'QA1' })).toEqual([secure, one]);
    expect(await tasks({ domain: 'DOMAIN1' })).toEqual([other, one]);
    expect(await tasks({ device: 'QA2', domain: 'DOMAIN1' })).toEqual([other]);
  });
});

it.each(['x', '-1', '1.5', '1e9', ' 1', '9'.repeat(16), `1_${nobody}_1`, '1_2', "1' or true --"])(
  'the cursor %j is not one of ours',
  async (cursor) => {
    expect(await history.runs({ limit: 1, cursor })).toBeNull();
    expect(await history.tasks(nobody, { limit: 1, cursor })).toBeNull();
    expect(await history.backups({ limit: 1, cursor })).toBeNull();
  },
);

describe('guards', () => {
  const open = async (status: 'RUNNING' | 'FAILED', scope: object, more: { left_at?: Date } = {}) => {
    const run = await seedRun(database.kysely);
    const task = sampleTask({ ...run, device: `QA-${run.runId}` });
    await seedTask(database.kysely, task, { status });
    const row = {
      device: task.device,
      task_id: task.taskId,
      scope: JSON.stringify(scope),
      intended_at: new Date(5),
    };
    await database.kysely
      .insertInto('device_guard')
      .values({ ...row, ...more })
      .execute();
    return task;
  };
  const domain = { kind: 'domain', domain: 'DOMAIN1' };

  it('of a task that goes on says so, with what it quiesced', async () => {
    const task = await open('RUNNING', domain);
    expect(await history.guards()).toEqual([
      {
        id: expect.stringMatching(/^\d+$/),
        device: task.device,
        domain: 'DOMAIN1',
        taskId: task.taskId,
        runId: task.runId,
        intendedAt: '1970-01-01T00:00:00.005Z',
        quiescedAt: null,
        hasOwner: true,
        sentence: `${task.device}/DOMAIN1 is quiesced by a task that is going on.`,
      },
    ]);
  });

  it('of a task that has ended says that it is being undone, and what stood in the way', async () => {
    const task = await open('FAILED', { kind: 'device' });
    const sentence = `${task.device} is being set moving again until it is seen running.`;
    expect(await history.guards()).toMatchObject([{ domain: null, hasOwner: false, sentence }]);
    await database.kysely.updateTable('device_guard').set({ last_problem: 'It does not answer.' }).execute();
    const withTrouble = `${sentence} The last try failed: It does not answer.`;
    expect(await history.guards()).toMatchObject([{ sentence: withTrouble }]);
  });

  it('that was released is no longer listed, and still found by its id', async () => {
    await open('FAILED', domain);
    const [{ id } = { id: '' }] = await history.guards();
    expect(await history.guard(id)).toMatchObject({ guard: { id, hasOwner: false }, isReleased: false });
    await database.kysely
      .updateTable('device_guard')
      .set({ released_at: new Date(6) })
      .execute();
    expect(await history.guards()).toEqual([]);
    expect(await history.guard(id)).toMatchObject({ guard: { id }, isReleased: true });
    for (const unknown of ['0', 'x', '9'.repeat(40)]) expect(await history.guard(unknown)).toBeNull();
  });

  it('whose task gave up undoing has no owner, though the task goes on', async () => {
    await open('RUNNING', domain, { left_at: new Date(6) });
    expect(await history.guards()).toMatchObject([{ hasOwner: false }]);
  });
});
