import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TaskSpec } from '../../packages/core/src/index.ts';
import type { OrphanClaim } from '../../packages/server/src/index.ts';
import { sampleRun } from '../../packages/server/src/testing/sample-run.ts';
import { sampleTask } from '../../packages/server/src/testing/sample-task.ts';
import { type AnyRecordsGround, recordsGrounds } from './testing/records-grounds.ts';

const AT = Date.UTC(2026, 2, 29, 2);
const MINUTE_MS = 60_000;
const scope = { kind: 'domain', domain: 'DOMAIN1' } as const;
const [node, other] = [randomUUID(), randomUUID()];

describe.each(recordsGrounds)('the guards of devices: %s', (_, open) => {
  let ground: AnyRecordsGround;

  beforeAll(async () => {
    ground = await open();
  });

  beforeEach(() => ground.empty());
  afterAll(() => ground.close());

  /** A task that is running on a device. */
  async function taskOn(device: string): Promise<TaskSpec> {
    const run = sampleRun();
    const spec = sampleTask({ runId: run.runId, device });
    const { runs, tasks } = ground.records;
    await ground.transact(async (trx) => void (await runs.insertRun(trx, run)));
    await ground.transact(async (trx) => {
      await tasks.replaceTasks(trx, run.runId, [{ spec, activityIndex: 0, skipped: null }]);
    });
    await ground.transact((trx) => tasks.markStarted(trx, spec.taskId, AT));
    return spec;
  }

  const guard = ({ device, taskId }: TaskSpec, trx: unknown) =>
    ground.records.guards.openGuard(trx, { device, taskId, scope, intendedAt: AT });
  const openFor = (task: TaskSpec) => ground.transact((trx) => guard(task, trx));
  const leave = ({ taskId }: TaskSpec) =>
    ground.transact((trx) => ground.records.guards.leaveGuard(trx, taskId));

  /** A guard that its task has left to the reconciler. */
  async function orphanOn(device: string): Promise<TaskSpec> {
    const task = await taskOn(device);
    await openFor(task);
    await leave(task);
    return task;
  }

  const claimed = async (by: string) =>
    (await ground.records.guards.claimOrphans(by, [])).map(({ device }) => device).toSorted();

  async function claimOne(by: string) {
    const [orphan] = await ground.records.guards.claimOrphans(by, []);
    if (orphan === undefined) throw new Error('There is no orphan to claim.');
    return orphan;
  }

  it('are opened, marked and closed by their tasks', async () => {
    const { guards } = ground.records;
    const task = await taskOn('QA1');
    await openFor(task);
    const { device, taskId } = task;
    const opened = { device, taskId, scope, intendedAt: AT, problem: null };
    expect(await ground.guards()).toEqual([{ ...opened, quiescedAt: null, isReleased: false }]);
    await ground.transact((trx) => guards.markQuiesced(trx, taskId, AT + 1));
    expect(await ground.guards()).toEqual([{ ...opened, quiescedAt: AT + 1, isReleased: false }]);
    await ground.transact((trx) => guards.closeGuard(trx, taskId, AT + 2));
    expect(await ground.guards()).toEqual([{ ...opened, quiescedAt: AT + 1, isReleased: true }]);
  });

  it('are not there for a task that never had one, and a closed one stays as it is', async () => {
    const { guards } = ground.records;
    const [guarded, bare] = [await taskOn('QA1'), await taskOn('QA2')];
    await openFor(guarded);
    await ground.transact((trx) => guards.closeGuard(trx, guarded.taskId, AT));
    for (const { taskId } of [guarded, bare]) {
      await ground.transact(async (trx) => {
        await guards.markQuiesced(trx, taskId, AT + 1);
        await guards.closeGuard(trx, taskId, AT + 1);
        await guards.leaveGuard(trx, taskId);
      });
    }
    expect(await ground.guards()).toMatchObject([{ device: 'QA1', quiescedAt: null, isReleased: true }]);
  });

  it('are one per device: the transaction that opens a second one fails as a whole', async () => {
    const [first, second, third] = [await taskOn('QA1'), await taskOn('QA1'), await taskOn('QA2')];
    await openFor(first);
    const both = ground.transact(async (trx) => {
      await guard(third, trx);
      await guard(second, trx);
    });
    await expect(both).rejects.toThrow('device_guard_open');
    expect((await ground.guards()).map(({ taskId }) => taskId)).toEqual([first.taskId]);
    await ground.transact((trx) => ground.records.guards.closeGuard(trx, first.taskId, AT));
    await openFor(second);
    expect(await ground.guards()).toHaveLength(2);
  });

  it('are one per device also when one transaction opens two', async () => {
    const [first, second] = [await taskOn('QA1'), await taskOn('QA1')];
    const both = ground.transact(async (trx) => {
      await guard(first, trx);
      await guard(second, trx);
    });
    await expect(both).rejects.toThrow('device_guard_open');
    expect(await ground.guards()).toEqual([]);
  });

  it('are another task’s for every task but their own, until they are closed', async () => {
    const { guards } = ground.records;
    const [own, next] = [await taskOn('QA1'), await taskOn('QA1')];
    expect(await guards.isGuardedByOther('QA1', next.taskId)).toBe(false);
    await openFor(own);
    expect(await guards.isGuardedByOther('QA1', next.taskId)).toBe(true);
    expect(await guards.isGuardedByOther('QA1', own.taskId)).toBe(false);
    expect(await guards.isGuardedByOther('QA2', next.taskId)).toBe(false);
    await ground.transact((trx) => guards.closeGuard(trx, own.taskId, AT));
    expect(await guards.isGuardedByOther('QA1', next.taskId)).toBe(false);
  });

  describe('without an owner', () => {
    it('are those of tasks that left them or have ended, and no others', async () => {
      const tasks = [await taskOn('QA1'), await taskOn('QA2'), await taskOn('QA3')];
      for (const task of tasks) await openFor(task);
      expect(await claimed(node)).toEqual([]);
      const [, left, ended] = tasks as [TaskSpec, TaskSpec, TaskSpec];
      await leave(left);
      const verdict = { status: 'FAILED', reason: null, warnings: [] } as const;
      await ground.transact((trx) => ground.records.tasks.endTask(trx, ended.taskId, AT, verdict));
      expect(await claimed(node)).toEqual(['QA2', 'QA3']);
    });

    it('are those of tasks that are parked for five minutes, or at once when one is asked for by its id', async () => {
      const { guards } = ground.records;
      const task = await taskOn('QA1');
      await openFor(task);
      await ground.park(task.taskId);
      expect(await claimed(node)).toEqual([]);
      await ground.pass(5 * MINUTE_MS);
      const { guardId } = await claimOne(node);
      await guards.freeOrphans(node);
      expect(await guards.claimOrphan(other, guardId)).toMatchObject({ guardId, device: 'QA1', scope });
    });

    it('are not those of tasks that go on after they were parked, though nobody has said so yet', async () => {
      const { guards } = ground.records;
      const task = await taskOn('QA1');
      await ground.park(task.taskId);
      await ground.pass(5 * MINUTE_MS);
      await ground.goOn(task.taskId);
      await openFor(task);
      expect(await claimed(node)).toEqual([]);
      await leave(task);
      const { guardId } = await claimOne(node);
      const next = await taskOn('QA2');
      await ground.park(next.taskId);
      await ground.goOn(next.taskId);
      await openFor(next);
      expect(await guards.claimOrphan(node, guardId + 1)).toBeNull();
    });

    it('are worked on by one node, until it has been silent for a minute or was started anew', async () => {
      const { guards } = ground.records;
      await orphanOn('QA1');
      const { guardId } = await claimOne(node);
      expect(await claimed(other)).toEqual([]);
      expect(await claimed(node)).toEqual([]);
      expect(await guards.claimOrphan(other, guardId)).toBeNull();
      await ground.pass(MINUTE_MS + 1_000);
      expect(await claimed(other)).toEqual(['QA1']);
      await guards.freeOrphans(node);
      expect(await claimed(node)).toEqual([]);
      await guards.freeOrphans(other);
      expect(await claimed(node)).toEqual(['QA1']);
    });

    it('are claimed by one of many nodes that come at once', async () => {
      await orphanOn('QA1');
      const claims = await Promise.all(Array.from({ length: 4 }, () => claimed(randomUUID())));
      expect(claims.flat()).toEqual(['QA1']);
    });

    it('are put off with what stands in the way, and taken sooner only by their id', async () => {
      const { guards } = ground.records;
      await orphanOn('QA1');
      const came = { problem: 'Nobody answers.', isInDoubt: false, attempts: 3, pauseMs: 40_000 };
      const first = await claimOne(node);
      expect(first).toMatchObject({ attempts: 0, problem: null });
      await guards.putOffOrphan(first, came);
      expect(await ground.guards()).toMatchObject([{ problem: 'Nobody answers.', isReleased: false }]);
      await ground.pass(30_000);
      expect(await claimed(other)).toEqual([]);
      expect(await guards.claimOrphan(other, first.guardId)).toMatchObject({
        attempts: 3,
        problem: 'Nobody answers.',
      });
      await guards.freeOrphans(other);
      await ground.pass(11_000);
      expect(await claimOne(other)).toMatchObject({ attempts: 3 });
    });

    it('say for how long nothing was sent that may still land', async () => {
      const { guards } = ground.records;
      await orphanOn('QA1');
      await ground.pass(90_000);
      const first = await claimOne(node);
      expect(Math.floor(first.quietMs / 10_000)).toBe(9);
      expect(await guards.intendUnquiesce(first)).toBe(true);
      await guards.putOffOrphan(first, known);
      await ground.pass(10_000);
      const second = await claimOne(node);
      expect(Math.floor(second.quietMs / 10_000)).toBe(10);
      await guards.putOffOrphan(second, { ...known, isInDoubt: true });
      await ground.pass(20_000);
      expect(Math.floor((await claimOne(node)).quietMs / 10_000)).toBe(2);
    });

    it('are in doubt when who was about to send was never heard of again: for two minutes it may be under way', async () => {
      const { guards } = ground.records;
      await orphanOn('QA1');
      await ground.pass(190_000);
      const lost = await claimOne(node);
      await guards.intendUnquiesce(lost);
      await ground.pass(70_000);
      expect(Math.floor((await claimOne(other)).quietMs / 10_000)).toBe(-5);
      expect(await guards.intendUnquiesce(lost)).toBe(false);
    });

    it('are not taken again by a node that still has them in hand', async () => {
      const { guards } = ground.records;
      await orphanOn('QA1');
      const { guardId } = await claimOne(node);
      await ground.pass(MINUTE_MS + 1_000);
      expect(await guards.claimOrphans(node, [guardId])).toEqual([]);
      expect(await claimed(other)).toEqual(['QA1']);
    });

    const close = (claim: OrphanClaim, settleMs = 0) =>
      ground.transact((trx) => ground.records.guards.closeOrphan(trx, claim, settleMs));

    it('are closed under the claim that holds them, and under no other', async () => {
      const { guards } = ground.records;
      await orphanOn('QA1');
      const claim = await claimOne(node);
      const forged = { ...claim, claimId: randomUUID() };
      expect(await close(forged)).toBe(false);
      await guards.putOffOrphan(forged, known);
      expect(await ground.guards()).toMatchObject([{ isReleased: false }]);
      expect(await claimed(other)).toEqual([]);
      expect(await close(claim)).toBe(true);
      expect(await ground.guards()).toMatchObject([{ isReleased: true, problem: null }]);
      expect(await guards.claimOrphan(node, claim.guardId)).toBeNull();
    });

    it('tell a claim from a later one of the same node: what comes late changes nothing', async () => {
      const { guards } = ground.records;
      await orphanOn('QA1');
      const early = await claimOne(node);
      await guards.intendUnquiesce(early);
      await ground.pass(MINUTE_MS + 1_000);
      const late = await claimOne(node);
      expect(await guards.intendUnquiesce(late)).toBe(true);
      await guards.putOffOrphan(early, known);
      expect(await claimed(other)).toEqual([]);
      expect(await close(early)).toBe(false);
      await ground.pass(MINUTE_MS + 1_000);
      // What the later claim was about to send still counts.
      expect((await claimOne(other)).quietMs).toBeLessThan(0);
    });

    it('are closed only when nothing was under way since so long before the claim, also nothing of their task', async () => {
      const { guards } = ground.records;
      const task = await orphanOn('QA1');
      await ground.pass(30_000);
      const claim = await claimOne(node);
      expect(await close(claim, 40_000)).toBe(false);
      await ground.transact((trx) => guards.markRequest(trx, task.taskId, true));
      expect(await close(claim, 20_000)).toBe(false);
      await ground.pass(10_000);
      await ground.transact((trx) => guards.markRequest(trx, task.taskId, false));
      expect(await close(claim, 20_000)).toBe(false);
      await guards.putOffOrphan(claim, known);
      await ground.pass(20_000);
      expect(await close(await claimOne(node), 20_000)).toBe(true);
    });
  });
});

const known = { problem: null, isInDoubt: false, attempts: 0, pauseMs: 0 };
