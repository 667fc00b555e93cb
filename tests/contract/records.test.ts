import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RunSpec, reasonOf, type TaskSpec } from '../../packages/core/src/index.ts';
import { samplePlan } from '../../packages/server/src/testing/sample-plan.ts';
import { sampleRun } from '../../packages/server/src/testing/sample-run.ts';
import { sampleTask } from '../../packages/server/src/testing/sample-task.ts';
import { type AnyRecordsGround, recordsGrounds } from './testing/records-grounds.ts';

const AT = Date.UTC(2026, 2, 29, 2);
const reason = reasonOf('INTERRUPTED', 'The server was stopped.');

describe.each(recordsGrounds)('the records of programs: %s', (_, open) => {
  let ground: AnyRecordsGround;

  beforeAll(async () => {
    ground = await open();
  });

  beforeEach(() => ground.empty());
  afterAll(() => ground.close());

  /** A transaction that is not kept. */
  async function inVain(work: (trx: unknown) => Promise<unknown>): Promise<void> {
    const attempt = ground.transact(async (trx) => {
      await work(trx);
      throw new Error('The power went.');
    });
    await expect(attempt).rejects.toThrow('The power went.');
  }

  async function begin(more: Partial<RunSpec> = {}): Promise<RunSpec> {
    const spec = sampleRun(more);
    await ground.transact((trx) => ground.records.runs.insertRun(trx, spec));
    return spec;
  }

  async function give({ runId }: RunSpec, ...devices: string[]): Promise<TaskSpec[]> {
    const specs = devices.map((device) => sampleTask({ runId, device }));
    const tasks = specs.map((spec) => ({ spec, activityIndex: 0, skipped: null }));
    await ground.transact((trx) => ground.records.tasks.replaceTasks(trx, runId, tasks));
    return specs;
  }

  describe('runs', () => {
    it('are numbered in the order in which they were queued', async () => {
      const numbers: number[] = [];
      for (let i = 0; i < 3; i += 1) {
        numbers.push(await ground.transact((trx) => ground.records.runs.insertRun(trx, sampleRun())));
      }
      expect(numbers.toSorted((one, other) => one - other)).toEqual(numbers);
      expect(new Set(numbers).size).toBe(3);
    });

    it('are queued, then what they are marked as, then what they ended as', async () => {
      const { runs } = ground.records;
      const { runId } = await begin();
      const open = { reason: null, warnings: [], endedAt: null };
      expect(await ground.run(runId)).toEqual({ status: 'QUEUED', ...open });
      for (const status of ['VALIDATING', 'RUNNING'] as const) {
        await ground.transact((trx) => runs.markRun(trx, runId, status));
        expect(await ground.run(runId)).toEqual({ status, ...open });
      }
      const verdict = { status: 'PARTIAL', reason, warnings: [reason] } as const;
      await ground.transact((trx) => runs.endRun(trx, runId, AT, verdict));
      expect(await ground.run(runId)).toEqual({ ...verdict, endedAt: AT });
    });

    it('are halted one by one, and who asks for one that is not there has made a mistake', async () => {
      const { runs } = ground.records;
      const [first, second] = [await begin(), await begin()];
      await ground.transact((trx) => runs.haltRun(trx, first.runId));
      expect(await runs.isHalted(first.runId)).toBe(true);
      expect(await runs.isHalted(second.runId)).toBe(false);
      await expect(runs.isHalted(randomUUID())).rejects.toThrow();
    });

    it('have earlier ones until the last of their plan that was queued before them has ended', async () => {
      const { runs } = ground.records;
      const [first, second] = [await begin(), await begin()];
      const ofOther = await begin({ plan: samplePlan({ name: 'weekly' }) });
      const last = await begin();
      const areOver = () =>
        Promise.all([first, second, ofOther, last].map(({ runId }) => runs.areEarlierRunsOver(runId)));
      expect(await areOver()).toEqual([true, false, true, false]);
      await ground.transact((trx) => runs.markRun(trx, first.runId, 'RUNNING'));
      expect(await areOver()).toEqual([true, false, true, false]);
      const verdict = { status: 'SUCCEEDED', reason: null, warnings: [] } as const;
      await ground.transact((trx) => runs.endRun(trx, first.runId, AT, verdict));
      expect(await areOver()).toEqual([true, true, true, false]);
      await ground.transact((trx) => runs.endRun(trx, second.runId, AT, verdict));
      expect(await areOver()).toEqual([true, true, true, true]);
    });

    it('are as they were before a transaction that was not kept', async () => {
      const { runs } = ground.records;
      const { runId } = await begin();
      const never = sampleRun();
      await inVain(async (trx) => {
        await runs.insertRun(trx, never);
        await runs.haltRun(trx, runId);
        await runs.endRun(trx, runId, AT, { status: 'FAILED', reason, warnings: [] });
      });
      expect(await ground.run(runId)).toMatchObject({ status: 'QUEUED', endedAt: null });
      expect(await runs.isHalted(runId)).toBe(false);
      await expect(ground.run(never.runId)).rejects.toThrow();
    });
  });

  describe('tasks', () => {
    it('wait in the order in which their run gave them, and those that are skipped have ended', async () => {
      const { tasks } = ground.records;
      const { runId, queuedAt } = await begin();
      const specs = ['QA3', 'QA1', 'QA2'].map((device) => sampleTask({ runId, device }));
      const given = specs.map((spec, index) => ({
        spec,
        activityIndex: index,
        skipped: index === 1 ? reason : null,
      }));
      await ground.transact((trx) => tasks.replaceTasks(trx, runId, given));
      const waiting = await ground.transact((trx) => tasks.waitingTasks(trx, runId));
      expect(waiting.map(({ device, taskId }) => [device, taskId])).toEqual([
        ['QA3', specs[0]?.taskId],
        ['QA2', specs[2]?.taskId],
      ]);
      expect(waiting[0]?.number).toBeLessThan(waiting[1]?.number ?? 0);
      expect(await ground.task(specs[1]?.taskId ?? '')).toEqual({
        status: 'SKIPPED',
        reason,
        warnings: [],
        attempt: 1,
        nextAttemptAt: null,
        startedAt: null,
        endedAt: queuedAt,
      });
      expect(await tasks.countTasks(runId)).toMatchObject({ waiting: 2, skipped: 1, running: 0 });
    });

    it('take the place of all that their run had, and of no others', async () => {
      const { tasks } = ground.records;
      const [run, other] = [await begin(), await begin()];
      const [old] = await give(run, 'QA1', 'QA2');
      const [kept] = await give(other, 'QA1');
      const [fresh] = await give(run, 'QA3');
      expect(await tasks.unfinishedTasks(run.runId, true)).toEqual([fresh?.taskId]);
      expect(await tasks.unfinishedTasks(other.runId, true)).toEqual([kept?.taskId]);
      await expect(ground.task(old?.taskId ?? '')).rejects.toThrow();
    });

    it('leave nothing in the journal when they are replaced before anybody drove them', async () => {
      const { journal, records } = ground;
      const run = await begin();
      const [old, fresh] = [sampleTask(run), sampleTask(run)];
      const prepare = (spec: TaskSpec) =>
        ground.transact(async (trx) => {
          await records.tasks.replaceTasks(trx, run.runId, [{ spec, activityIndex: 0, skipped: null }]);
          await journal.create(trx, 'task', [{ id: spec.taskId, spec }]);
        });
      const isKnown = async ({ taskId }: TaskSpec) =>
        (await ground.transact((trx) => journal.lock(trx, taskId))) !== null;
      await prepare(old);
      expect(await isKnown(old)).toBe(true);
      await prepare(fresh);
      expect([await isKnown(old), await isKnown(fresh)]).toEqual([false, true]);
    });

    it('are counted by how they stand, and ended with reason and warnings', async () => {
      const { tasks } = ground.records;
      const run = await begin();
      const ids = (await give(run, 'QA1', 'QA2', 'QA3')).map(({ taskId }) => taskId);
      const [ended = '', running = '', waiting = ''] = ids;
      const verdict = { status: 'FAILED', reason, warnings: [reason] } as const;
      await ground.transact(async (trx) => {
        await tasks.markStarted(trx, ended, AT);
        await tasks.markStarted(trx, running, AT + 1);
      });
      await ground.transact((trx) => tasks.endTask(trx, ended, AT + 2, verdict));
      expect(await ground.task(ended)).toEqual({
        ...verdict,
        attempt: 1,
        nextAttemptAt: null,
        startedAt: AT,
        endedAt: AT + 2,
      });
      expect(await ground.task(running)).toMatchObject({
        status: 'RUNNING',
        startedAt: AT + 1,
        endedAt: null,
      });
      expect(await tasks.countTasks(run.runId)).toEqual({
        waiting: 1,
        running: 1,
        failed: 1,
        succeeded: 0,
        skipped: 0,
        cancelled: 0,
      });
      expect(await tasks.unfinishedTasks(run.runId, true)).toEqual([running, waiting]);
      expect(await tasks.unfinishedTasks(run.runId, false)).toEqual([waiting]);
    });

    it('that are put off wait again, with why and until when, and have started when they did first', async () => {
      const { tasks } = ground.records;
      const run = await begin();
      const [task] = await give(run, 'QA1');
      const id = task?.taskId ?? '';
      await ground.transact(async (trx) => {
        await tasks.markStarted(trx, id, AT);
        await tasks.markPutOff(trx, id, { attempt: 2, at: AT + 60_000, reason });
      });
      const waits = { status: 'WAITING', attempt: 2, nextAttemptAt: AT + 60_000, reason, startedAt: AT };
      expect(await ground.task(id)).toMatchObject({ ...waits, endedAt: null });
      expect(await tasks.unfinishedTasks(run.runId, false)).toEqual([id]);
      expect(await tasks.countTasks(run.runId)).toMatchObject({ waiting: 1, running: 0, failed: 0 });
      await ground.transact((trx) => tasks.markStarted(trx, id, AT + 60_000));
      const goesOn = { status: 'RUNNING', attempt: 2, nextAttemptAt: null, reason: null, startedAt: AT };
      expect(await ground.task(id)).toMatchObject(goesOn);
    });

    it('are as they were before a transaction that was not kept', async () => {
      const { tasks } = ground.records;
      const run = await begin();
      const [task] = await give(run, 'QA1');
      await inVain(async (trx) => {
        await tasks.markStarted(trx, task?.taskId ?? '', AT);
        await tasks.replaceTasks(trx, run.runId, []);
      });
      expect(await ground.task(task?.taskId ?? '')).toMatchObject({ status: 'WAITING', startedAt: null });
    });
  });

  describe('backups', () => {
    const identity = { serialNumber: '1', model: 'M', firmwareVersion: '10.6', firmwareBuild: '7' };
    const backupOf = ({ taskId, runId, action, device, domain }: TaskSpec, ...paths: string[]) => ({
      ...{ taskId, runId, action, device, domain, identity, takenAt: AT },
      files: paths.map((path) => ({ path, sizeBytes: 1, sha256: 'f'.repeat(64), isPersisted: true })),
    });
    const enter = (...backups: ReturnType<typeof backupOf>[]) =>
      ground.transact(async (trx) => {
        for (const backup of backups) await ground.records.backups.enterBackup(trx, backup);
      });

    it('are entered with the plan of their run, and take the place of what was entered for their task', async () => {
      const { runId } = await begin({ plan: samplePlan({ name: 'weekly' }) });
      const task = sampleTask({ runId });
      await enter(backupOf(task, 'QA1/a.zip'));
      await enter(backupOf(task, 'QA1/a.zip', 'QA1/b.zip'));
      expect(await ground.backups()).toEqual([
        { taskId: task.taskId, planName: 'weekly', paths: ['QA1/a.zip', 'QA1/b.zip'] },
      ]);
    });

    it('are never two at one path: the second is not entered, nor anything with it', async () => {
      const run = await begin();
      const [first, second, third] = [sampleTask(run), sampleTask(run), sampleTask(run)];
      await enter(backupOf(first, 'QA1/a.zip'));
      const both = enter(backupOf(second, 'QA1/b.zip'), backupOf(third, 'QA1/a.zip'));
      await expect(both).rejects.toThrow('backup_file_path_key');
      expect((await ground.backups()).map(({ taskId }) => taskId)).toEqual([first.taskId]);
    });
  });
});
