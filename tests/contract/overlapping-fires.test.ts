import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Stillpoint, startStillpoint } from './testing/start-stillpoint.ts';
import { until } from './testing/until.ts';

let stillpoint: Stillpoint;

beforeAll(async () => {
  stillpoint = await startStillpoint();
});
afterAll(() => stillpoint.finish());

type RunRow = { id: string; status: string };

const runsOf = async (plan: string): Promise<RunRow[]> =>
  (await stillpoint.query('select id, status from run where plan_name = $1 order by number', [
    plan,
  ])) as RunRow[];

const leftOutOf = async (plan: string) => {
  const answer = await stillpoint.client.getPlan({ params: { name: plan } });
  if (!answer.ok) throw new Error(answer.problem.detail);
  return answer.value.leftOutFires;
};

it.each([
  ['skip', 1],
  ['queue', 2],
] as const)('fires that come while a run is going: %s', async (overlap, runs) => {
  const device = `fire-${overlap}`;
  await stillpoint.connectFleet([{ name: device, domains: [{ name: 'A' }] }]);
  const script = `gate-${overlap}.sh`;
  const gate = stillpoint.scripts.writeGate(script);
  const plan = {
    name: device,
    overlap,
    timezone: 'UTC',
    prePlanScript: script,
    activities: [{ exportDomain: { devices: device, domains: 'A' } }],
  };
  await stillpoint.definePlan({ ...plan, schedule: '* * * * * ?' });
  await gate.reached();
  // At least three fires come while the first run waits at the gate.
  const [leftOut] = await until(
    () => leftOutOf(device),
    (told) => told.some(({ fires }) => fires >= 3),
  );
  const [first, second] = await runsOf(device);
  expect(leftOut).toMatchObject({ reason: 'OVERLAP', runId: first?.id });
  expect(await runsOf(device)).toHaveLength(runs);
  if (overlap === 'queue') expect(second?.status).toBe('QUEUED');
  await stillpoint.definePlan({ ...plan, schedule: null });
  gate.open();
  for (const { id } of await runsOf(device))
    expect((await stillpoint.endOf({ id })).run.status).toBe('SUCCEEDED');
  if (second === undefined) return;
  const [times] = await stillpoint.query(
    `select (select min((body->>'at')::float8) from journal_fact where subject_id = $2 and body->>'type' = 'noted') as "beganAt",
       (select (body->>'at')::float8 from journal_fact where subject_id = $1 and body->>'type' = 'ended') as "overAt"`,
    [first?.id, second.id],
  );
  const { beganAt, overAt } = times as { beganAt: number; overAt: number };
  expect(beganAt).toBeGreaterThanOrEqual(overAt);
});
