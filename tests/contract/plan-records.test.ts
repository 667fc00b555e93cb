import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Plan, RunSpec } from '../../packages/core/src/index.ts';
import { samplePlan } from '../../packages/server/src/testing/sample-plan.ts';
import { sampleRun } from '../../packages/server/src/testing/sample-run.ts';
import { type AnyRecordsGround, recordsGrounds } from './testing/records-grounds.ts';

const AT = Date.UTC(2026, 2, 29, 2);

describe.each(recordsGrounds)('the plans, as the planner works through them: %s', (_, open) => {
  let ground: AnyRecordsGround;

  beforeAll(async () => {
    ground = await open();
  });

  beforeEach(() => ground.empty());
  afterAll(() => ground.close());

  const saved = (plan: Plan = samplePlan()) =>
    ground.definitions.save({ parameters: {}, devices: [], plans: [plan] });

  const decide = (now: number, at: number | null) =>
    ground.transact(async (trx) => {
      const { plans } = ground.records;
      const found = await plans.nextDuePlan(trx, now);
      if (found !== null) await plans.setNextFire(trx, found.planId, at);
      return found;
    });

  async function begin(more: Partial<RunSpec> = {}): Promise<RunSpec> {
    const spec = sampleRun(more);
    await ground.transact((trx) => ground.records.runs.insertRun(trx, spec));
    return spec;
  }

  it('are to be decided once they were saved, then when they are due, then no more', async () => {
    await saved();
    expect(await decide(AT, AT + 10)).toMatchObject({ plan: samplePlan(), dueAt: null });
    expect(await decide(AT + 9, null)).toBeNull();
    expect(await decide(AT + 10, null)).toMatchObject({ dueAt: AT + 10 });
    expect(await decide(AT + 1e9, null)).toBeNull();
  });

  it.each<[string, Partial<Plan>]>([
    ['schedule', { schedule: '0 0 2 * * ?' }],
    ['zone', { timezone: 'Europe/Zurich' }],
    ['switch', { isEnabled: false }],
  ])('are to be decided anew, and are not due, when their %s was changed', async (_name, change) => {
    await saved();
    await decide(AT, AT + 10);
    await saved(samplePlan(change));
    expect(await decide(AT + 20, AT + 30)).toMatchObject({ plan: change, dueAt: null });
  });

  it('stay due when something else of them was changed: a fire of this moment is not lost', async () => {
    await saved();
    await decide(AT, AT + 10);
    await saved(samplePlan({ description: 'changed', missedRuns: 'skip' }));
    expect(await decide(AT + 9, null)).toBeNull();
    expect(await decide(AT + 20, null)).toMatchObject({ plan: { description: 'changed' }, dueAt: AT + 10 });
  });

  it('are to be decided anew when the zone of plans that name none was changed, and no other parameter', async () => {
    await saved();
    await decide(AT, AT + 10);
    await ground.definitions.save({ parameters: { timezone: 'UTC' }, devices: [], plans: [] });
    expect(await decide(AT + 40, null)).toMatchObject({ dueAt: null });
    await ground.definitions.save({ parameters: { 'devices.parallel': 4 }, devices: [], plans: [] });
    expect(await decide(AT + 50, null)).toBeNull();
  });

  it('are decided by one of many who look at once', async () => {
    for (const name of ['one', 'two', 'three']) await saved(samplePlan({ name }));
    const looks = await Promise.all(Array.from({ length: 8 }, () => decide(AT, null)));
    const names = looks.flatMap((found) => found?.plan.name ?? []);
    expect(names.sort()).toEqual(['one', 'three', 'two']);
  });

  it('are still undecided after a transaction that was not kept', async () => {
    await saved();
    const attempt = ground.transact(async (trx) => {
      const { plans } = ground.records;
      const found = await plans.nextDuePlan(trx, AT);
      await plans.setNextFire(trx, found?.planId ?? '', null);
      await plans.tellLeftOut(trx, 'nightly', { ...missed, runId: null });
      throw new Error('The power went.');
    });
    await expect(attempt).rejects.toThrow('The power went.');
    expect(await decide(AT, null)).not.toBeNull();
    expect(await ground.leftOut()).toEqual([]);
  });

  it('keep their id when they are saved again, and one that is not there has none', async () => {
    const { plans } = ground.records;
    await saved();
    const planId = await plans.planIdOf('nightly');
    await saved(samplePlan({ description: 'changed' }));
    expect(await plans.planIdOf('nightly')).toBe(planId);
    expect(planId).not.toBeNull();
    expect(await plans.planIdOf('weekly')).toBeNull();
  });

  it('have unfinished runs, in the order of their queueing, until those have ended; one that has not begun waits', async () => {
    const { plans, runs } = ground.records;
    const unfinished = (name: string) => ground.transact((trx) => plans.unfinishedRuns(trx, name));
    expect(await unfinished('nightly')).toEqual([]);
    const first = await begin();
    const second = await begin();
    for (const status of ['VALIDATING', 'RUNNING'] as const) {
      await ground.transact((trx) => runs.markRun(trx, first.runId, status));
      expect(await unfinished('nightly')).toEqual([
        { runId: first.runId, isWaiting: false },
        { runId: second.runId, isWaiting: true },
      ]);
    }
    expect(await unfinished('weekly')).toEqual([]);
    const verdict = { status: 'SUCCEEDED', reason: null, warnings: [] } as const;
    await ground.transact((trx) => runs.endRun(trx, first.runId, AT, verdict));
    expect(await unfinished('nightly')).toEqual([{ runId: second.runId, isWaiting: true }]);
  });

  const missed = {
    reason: 'MISSED',
    fires: 3,
    firstAt: AT,
    lastAt: AT + 20,
    noticedAt: AT + 900_000,
  } as const;

  it('keep what became of fires that started no run; those that one run stood in the way of are counted', async () => {
    const runId = randomUUID();
    const overlap = (at: number) =>
      ({ reason: 'OVERLAP', fires: 1, firstAt: at, lastAt: at, noticedAt: at + 1, runId }) as const;
    const told = [{ ...missed, runId: null }, overlap(AT + 60), { ...missed, runId: null }, overlap(AT + 90)];
    for (const one of told)
      await ground.transact((trx) => ground.records.plans.tellLeftOut(trx, 'nightly', one));
    await ground.transact((trx) => ground.records.plans.tellLeftOut(trx, 'weekly', overlap(AT + 100)));
    expect(await ground.leftOut()).toEqual([
      { planName: 'nightly', ...missed, runId: null },
      { planName: 'nightly', ...overlap(AT + 60), fires: 2, lastAt: AT + 90, noticedAt: AT + 91 },
      { planName: 'nightly', ...missed, runId: null },
      { planName: 'weekly', ...overlap(AT + 100) },
    ]);
  });
});
