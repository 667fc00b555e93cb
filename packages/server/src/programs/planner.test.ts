import { randomUUIDv7 } from 'node:crypto';
import { type Plan, parametersInForce, type RunSpec } from '@stillpoint/core';
import type { Database } from '@stillpoint/database';
import { openTestDatabase } from '@stillpoint/database/testing';
import type { Transaction } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StoredDefinitions } from '../adapters/definitions.ts';
import { StoredPlans } from '../adapters/stored-plans.ts';
import { StoredRuns } from '../adapters/stored-runs.ts';
import type { Tables } from '../adapters/tables.ts';
import { samplePlan } from '../testing/sample-plan.ts';
import { Planner } from './planner.ts';

const minutely = samplePlan({
  name: 'minutely',
  schedule: '0 * * * * ?',
  timezone: 'UTC',
  activities: [],
});

let database: Database<Tables>;
let now: number;
let queued: RunSpec[];

beforeEach(async () => {
  database = await openTestDatabase<Tables>();
  now = Date.parse('2026-03-01T00:00:30Z');
  queued = [];
});

afterEach(() => database.close());

function newPlanner(): Planner<Transaction<Tables>> {
  const runs = new StoredRuns(database.kysely);
  return new Planner({
    transact: (work) => database.kysely.transaction().execute(work),
    plans: new StoredPlans(database.kysely),
    parameters: async () => parametersInForce({}),
    hostTimezone: 'UTC',
    newId: randomUUIDv7,
    clock: { now: () => now },
    async queueIn(trx, spec) {
      queued.push(spec);
      await runs.insertRun(trx, spec);
    },
  });
}

async function keep(plan: Plan): Promise<void> {
  const definitions = new StoredDefinitions(database.kysely, Buffer.alloc(32));
  await definitions.save({ parameters: {}, devices: [], plans: [plan] });
}

const endRuns = () => database.kysely.updateTable('run').set({ status: 'SUCCEEDED' }).execute();

/** What was told of fires that started no run, one a line, by times of the day. */
async function leftOut(): Promise<string[]> {
  const rows = await database.kysely.selectFrom('left_out_fire').selectAll().orderBy('id').execute();
  const time = (at: Date): string => at.toISOString().slice(11, 19);
  return rows.map(
    ({ reason, fires, first_at, last_at, noticed_at, run_id }) =>
      `${reason} ${fires} from ${time(first_at)} to ${time(last_at)} noticed ${time(noticed_at)} ${run_id ?? '-'}`,
  );
}

async function lookAt(planner: Planner<Transaction<Tables>>, instant: string): Promise<string[]> {
  now = Date.parse(instant);
  queued = [];
  await planner.startDueRuns();
  return queued.map(({ plan, trigger }) => `${plan.name} by ${trigger}`);
}

describe('the planner', () => {
  it('starts a run when a plan is due, once, and not before', async () => {
    await keep(minutely);
    const planner = newPlanner();
    expect(await lookAt(planner, '2026-03-01T00:00:30Z')).toEqual([]);
    expect(await lookAt(planner, '2026-03-01T00:00:59Z')).toEqual([]);
    expect(await lookAt(planner, '2026-03-01T00:01:00Z')).toEqual(['minutely by schedule']);
    await endRuns();
    expect(await lookAt(planner, '2026-03-01T00:01:01Z')).toEqual([]);
    expect(await lookAt(planner, '2026-03-01T00:02:00Z')).toEqual(['minutely by schedule']);
  });

  it('makes one run of all the fires that passed while no server was there', async () => {
    await keep(minutely);
    await lookAt(newPlanner(), '2026-03-01T00:00:30Z');
    const restarted = newPlanner();
    expect(await lookAt(restarted, '2026-03-01T09:00:10Z')).toEqual(['minutely by schedule']);
    await endRuns();
    expect(await lookAt(restarted, '2026-03-01T09:00:11Z')).toEqual([]);
  });

  it('makes no run of missed fires when the plan leaves them out, and tells them', async () => {
    await keep({ ...minutely, schedule: '0 0 * * * ?', missedRuns: 'skip' });
    await lookAt(newPlanner(), '2026-03-01T00:00:30Z');
    const restarted = newPlanner();
    expect(await lookAt(restarted, '2026-03-01T03:30:00Z')).toEqual([]);
    expect(await leftOut()).toEqual(['MISSED 3 from 01:00:00 to 03:00:00 noticed 03:30:00 -']);
    expect(await lookAt(restarted, '2026-03-01T04:00:00Z')).toEqual(['minutely by schedule']);
  });

  it('starts the run of a fire that a short restart passed over, whatever the plan does about missed ones', async () => {
    await keep({ ...minutely, schedule: '0 0 * * * ?', missedRuns: 'skip' });
    await lookAt(newPlanner(), '2026-03-01T00:59:59Z');
    expect(await lookAt(newPlanner(), '2026-03-01T01:00:40Z')).toEqual(['minutely by schedule']);
    expect(await leftOut()).toEqual([]);
  });

  it('tells the fires that one run makes up for', async () => {
    await keep({ ...minutely, schedule: '0 0 * * * ?' });
    await lookAt(newPlanner(), '2026-03-01T00:00:30Z');
    await lookAt(newPlanner(), '2026-03-01T09:30:10Z');
    const [made] = queued;
    expect(await leftOut()).toEqual([`MISSED 8 from 01:00:00 to 08:00:00 noticed 09:30:10 ${made?.runId}`]);
  });

  it('queues one fire behind a run that is going, and no second one', async () => {
    await keep({ ...minutely, overlap: 'queue' });
    const planner = newPlanner();
    await lookAt(planner, '2026-03-01T00:00:30Z');
    await lookAt(planner, '2026-03-01T00:01:00Z');
    const [first] = queued;
    await database.kysely.updateTable('run').set({ status: 'RUNNING' }).execute();
    expect(await lookAt(planner, '2026-03-01T00:02:00Z')).toHaveLength(1);
    expect(await lookAt(planner, '2026-03-01T00:03:00Z')).toEqual([]);
    expect(await lookAt(planner, '2026-03-01T00:04:00Z')).toEqual([]);
    expect(await leftOut()).toEqual([`OVERLAP 2 from 00:03:00 to 00:04:00 noticed 00:04:00 ${first?.runId}`]);
    await endRuns();
    expect(await lookAt(planner, '2026-03-01T00:05:00Z')).toHaveLength(1);
  });

  it.each([
    ['an hour', 3_600_000],
    ['a day', 24 * 3_600_000],
  ])('starts no fire twice when the clock is put forward by %s and back again', async (_, stepMs) => {
    await keep(minutely);
    const planner = newPlanner();
    await lookAt(planner, '2026-03-01T00:00:30Z');
    const later = (at: string) => new Date(Date.parse(at) + stepMs).toISOString();
    expect(await lookAt(planner, later('2026-03-01T00:00:40Z'))).toHaveLength(1);
    await endRuns();
    expect(await lookAt(planner, '2026-03-01T00:01:00Z')).toEqual([]);
    expect(await lookAt(planner, later('2026-03-01T00:00:59Z'))).toEqual([]);
    expect(await lookAt(planner, later('2026-03-01T00:01:00Z'))).toHaveLength(1);
  });

  it('keeps a fire of this moment when something else of the plan is changed', async () => {
    await keep(minutely);
    const planner = newPlanner();
    await lookAt(planner, '2026-03-01T00:00:30Z');
    now = Date.parse('2026-03-01T00:01:00Z');
    await keep({ ...minutely, description: 'changed just now' });
    expect(await lookAt(planner, '2026-03-01T00:01:01Z')).toEqual(['minutely by schedule']);
  });

  it('leaves a fire out while a run of the plan is still going, and tells it', async () => {
    await keep(minutely);
    const planner = newPlanner();
    await lookAt(planner, '2026-03-01T00:00:30Z');
    expect(await lookAt(planner, '2026-03-01T00:01:00Z')).toHaveLength(1);
    expect(await lookAt(planner, '2026-03-01T00:02:00Z')).toEqual([]);
    await endRuns();
    expect(await lookAt(planner, '2026-03-01T00:02:30Z')).toEqual([]);
    expect(await lookAt(planner, '2026-03-01T00:03:00Z')).toHaveLength(1);
    expect(await leftOut()).toEqual([expect.stringMatching(/^OVERLAP 1 from 00:02:00 to 00:02:00 /)]);
  });

  it('starts one run over several nodes that look at the same moment', async () => {
    const plans = Array.from({ length: 10 }, (_, i) => ({ ...minutely, name: `plan-${i}` }));
    for (const plan of plans) await keep(plan);
    await lookAt(newPlanner(), '2026-03-01T00:00:30Z');
    now = Date.parse('2026-03-01T00:01:00Z');
    const nodes = Array.from({ length: 4 }, newPlanner);
    await Promise.all(nodes.map((node) => node.startDueRuns()));
    expect(queued.map(({ plan }) => plan.name).sort()).toEqual(plans.map(({ name }) => name));
  });

  it('starts nothing that is disabled or has no schedule, and follows a changed schedule', async () => {
    await keep({ ...minutely, isEnabled: false });
    await keep({ ...minutely, name: 'by hand', schedule: null });
    const planner = newPlanner();
    await lookAt(planner, '2026-03-01T00:00:30Z');
    expect(await lookAt(planner, '2026-03-02T00:00:00Z')).toEqual([]);
    await keep({ ...minutely, schedule: '0 0 4 * * ?' });
    await lookAt(planner, '2026-03-02T00:00:01Z');
    expect(await lookAt(planner, '2026-03-02T03:59:59Z')).toEqual([]);
    expect(await lookAt(planner, '2026-03-02T04:00:00Z')).toEqual(['minutely by schedule']);
  });

  it('starts no fire again when the clock was put back and the plan was changed then', async () => {
    const planner = newPlanner();
    await keep(minutely);
    expect(await lookAt(planner, '2026-03-01T00:00:30Z')).toEqual([]);
    expect(await lookAt(planner, '2026-03-01T00:01:00Z')).toEqual(['minutely by schedule']);
    await endRuns();
    await keep({ ...minutely, schedule: '0 0/1 * * * ?' });
    expect(await lookAt(planner, '2026-03-01T00:00:10Z')).toEqual([]);
    expect(await lookAt(planner, '2026-03-01T00:01:00Z')).toEqual([]);
    expect(await lookAt(planner, '2026-03-01T00:02:00Z')).toEqual(['minutely by schedule']);
  });
});
