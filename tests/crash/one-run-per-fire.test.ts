import { expect, it } from 'vitest';
import { beginCluster, type Cluster } from './testing/begin-cluster.ts';
import { expectOrder, untilSettled } from './testing/expect-order.ts';
import { good } from './testing/good.ts';
import { ofKind } from './testing/kinds-of-tasks.ts';
import type { ServerProcess } from './testing/start-server-process.ts';

const EVERY_SECOND = '* * * * * ?';
/** Plans that back something up, and plans whose pattern matches nothing: their runs cost next to nothing. */
const BUSY_PLANS = 3;
const IDLE_PLANS = 25;
const LEAST_RUNS = 250;

type FiredRun = {
  plan: string;
  at: Date;
  began: Date;
  ended: Date;
  isQueued: boolean;
  holds: number;
  takeOvers: number;
};
type LeftOut = { plan: string; fires: number; firstAt: Date; lastAt: Date };

const firedRuns = `select plan_name as plan, queued_at as at, ended_at as ended, s.token::int4 as holds,
    run.spec->'plan'->>'overlap' = 'queue' as "isQueued",
    (select to_timestamp(min((body->>'at')::float8) / 1000) from journal_fact
      where subject_id = run.id and body->>'type' = 'noted') as began,
    (select count(*)::int4 from journal_fact where subject_id = run.id and body->>'type' = 'takenOver') as "takeOvers"
  from run join journal_subject s on s.id = run.id order by plan_name, number`;

const leftOutFires = `select plan_name as plan, fires, first_at as "firstAt", last_at as "lastAt" from left_out_fire`;

const busy = Array.from({ length: BUSY_PLANS }, (_, index) => ofKind('export', `dp${index + 1}`));
const idle = Array.from({ length: IDLE_PLANS }, (_, index) => ({
  name: `idle-${index + 1}`,
  activities: [{ exportDomain: { devices: 'nothing-*', domains: 'A' } }],
}));
/** Every combination of what a plan does about fires that are missed or overlap. */
const plans = [...busy.map(({ plan }) => plan), ...idle].map((plan, index) => ({
  ...plan,
  missedRuns: index % 2 === 0 ? ('once' as const) : ('skip' as const),
  overlap: index % 4 < 2 ? ('queue' as const) : ('skip' as const),
}));

/** Fires are switched on and off for all plans at once. */
async function schedule(cluster: Cluster, node: ServerProcess, line: string | null): Promise<void> {
  const scheduled = plans.map((plan) => ({ ...plan, window: 'none' as const, schedule: line }));
  good(await node.client.applyDocument({ body: { plans: scheduled }, query: {} }));
  if (line === null) await untilSettled(cluster);
}

/** A plan that fires each second: whatever lies between its first fire and its last has a run, or is told to be left out. */
function expectEachFireTold(name: string, runs: readonly FiredRun[], leftOut: readonly LeftOut[]): void {
  const secondOf = (at: Date): number => Math.floor(at.getTime() / 1000);
  const started = runs.filter(({ plan }) => plan === name).map(({ at }) => secondOf(at));
  const left = leftOut.filter(({ plan }) => plan === name);
  const seconds = [
    ...started,
    ...left.flatMap(({ firstAt, lastAt }) => [secondOf(firstAt), secondOf(lastAt)]),
  ];
  const fires = Math.max(...seconds) - Math.min(...seconds) + 1;
  const told = left.reduce((sum, one) => sum + one.fires, started.length);
  expect(told, `fires of ${name} that had a run or were told to be left out`).toBe(fires);
}

it('of two nodes that see the same fire at once, one starts one run, and only it drives it', async () => {
  await using cluster = await beginCluster({ devices: busy.map(({ device }) => device), plans });
  const nodes = await Promise.all([cluster.startNode('a'), cluster.startNode('b')]);
  await schedule(cluster, nodes[0], EVERY_SECOND);
  await cluster.until(async () => {
    const [row] = await cluster.query<{ count: number }>('select count(*)::int4 as count from run');
    expect(row?.count).toBeGreaterThanOrEqual(LEAST_RUNS);
  });
  await schedule(cluster, nodes[0], null);
  const runs = await cluster.query<FiredRun>(firedRuns);
  const fires = new Set(runs.map(({ plan, at }) => `${plan} ${Math.floor(at.getTime() / 1000)}`));
  expect(fires.size, 'each fire, one second of one plan, started one run').toBe(runs.length);
  const overlapping = runs.filter(({ plan, at, began, isQueued }, index) => {
    const before = runs[index - 1];
    return before?.plan === plan && before.ended > (isQueued ? began : at);
  });
  expect(overlapping, 'runs that began while one of the same plan was going').toEqual([]);
  const leftOut = await cluster.query<LeftOut>(leftOutFires);
  for (const { name } of plans) expectEachFireTold(name, runs, leftOut);
  expect(runs.filter(({ holds, takeOvers }) => holds !== 1 || takeOvers !== 0)).toEqual([]);
  const drivers = await cluster.query<{ name: string; count: number }>(
    `select node.name, count(*)::int4 from journal_subject join node on node.id = node_id group by node.name`,
  );
  expect(drivers).toHaveLength(2);
  const { tasks } = await expectOrder(cluster);
  const shares = drivers.map(({ name, count }) => `${name} drove ${count}`).join(', ');
  const told = leftOut.reduce((sum, { fires: left }) => sum + left, 0);
  console.log(
    `R-14: ${runs.length} fires of ${plans.length} plans on two nodes, one run each, ${told} more left out and told, ${tasks} tasks; runs and tasks: ${shares}, none driven by both`,
  );
}, 120_000);
