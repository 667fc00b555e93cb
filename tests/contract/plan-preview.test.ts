import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stillpoint } from './testing/start-stillpoint.ts';
import { startStillpoint } from './testing/start-stillpoint.ts';

let stillpoint: Stillpoint;

beforeAll(async () => {
  stillpoint = await startStillpoint();
});
afterAll(() => stillpoint.finish());

/** How many rows every table has, and what the plans are. */
async function everything(): Promise<unknown> {
  const tables = (await stillpoint.query(
    "select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE' and table_name not in ('node', 'alarm', 'heartbeat')",
  )) as { name: string }[];
  const counts = tables.map(async ({ name }) => [
    name,
    await stillpoint.query(`select count(*)::int4 as rows from "${name}"`),
  ]);
  return [
    await Promise.all(counts),
    await stillpoint.query('select name, definition from plan order by name'),
  ];
}

const closed = (): string => {
  const at = (minutes: number): string =>
    new Date(stillpoint.clock.now() + minutes * 60_000).toISOString().slice(11, 16);
  return `${at(120)}-${at(180)}`;
};

describe('a preview', () => {
  it('of a plan that ran before tells sizes and times, and leaves no trace', async () => {
    const fleet = await stillpoint.connectFleet([
      { name: 'look-1', domains: [{ name: 'A' }, { name: 'B' }, { name: 'C' }] },
    ]);
    const activity = { devices: 'look-1', domains: 'A,B', quiesce: true, postTaskScript: 'gone.sh' };
    const name = await stillpoint.definePlan({
      activities: [{ exportDomain: { ...activity, postTaskScript: null } }],
    });
    const { tasks } = await stillpoint.endOf(await stillpoint.queueRun(name));
    const sizes = tasks.map(({ files }) => files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
    const wider = { name, activities: [{ exportDomain: { ...activity, domains: 'A,B,C' } }] };
    await stillpoint.definePlan({ ...wider, window: [closed()] });
    const [before, sentBefore, filesBefore] = [
      await everything(),
      fleet.sentTo('look-1'),
      stillpoint.store.files(),
    ];

    const answer = await stillpoint.client.previewPlan({ params: { name } });
    if (!answer.ok) throw new Error(answer.problem.detail);
    const preview = answer.value;
    expect(preview.tasks.map(({ domain, estimatedBytes }) => [domain, estimatedBytes])).toEqual([
      ['A', sizes[0]],
      ['B', sizes[1]],
      ['C', null],
    ]);
    expect(preview.estimate).toMatchObject({
      bytes: (sizes[0] ?? 0) + (sizes[1] ?? 0),
      tasksOfUnknownBytes: 1,
      tasksOfUnknownDuration: 1,
    });
    expect(preview.estimate.durationSeconds).toBeGreaterThan(0);
    expect(preview.checks.map(({ name: check, isPassed }) => [check, isPassed])).toEqual([
      ['backupsEnabled', true],
      ['windowReadable', true],
      ['quiesceTimeout', true],
      ['windowOpen', false],
      ['storeMounted', true],
      ['storeSpace', true],
    ]);
    expect(preview.refusal?.code).toBe('PRE_VALIDATION_OUT_OF_MAINTENANCE_WINDOW');
    expect(preview.window).toMatchObject({ isOpen: false, opensAt: expect.any(String) });
    expect(preview.missingScripts).toMatchObject([{ name: 'gone.sh' }]);

    expect(await everything()).toEqual(before);
    expect(fleet.sentTo('look-1')).toEqual(sentBefore);
    expect(stillpoint.store.files()).toEqual(filesBefore);
  });

  it('of a plan that is not kept judges it like one that is to be, and keeps nothing', async () => {
    await stillpoint.connectFleet([{ name: 'look-2', domains: [{ name: 'A' }] }]);
    const before = await everything();
    const activities = [{ exportDomain: { devices: 'look-2', domains: '*,!default' } }];
    const good = await stillpoint.client.previewDefinition({
      body: { name: 'draft', window: 'none', activities },
    });
    if (!good.ok) throw new Error(good.problem.detail);
    expect(good.value).toMatchObject({
      plan: 'draft',
      refusal: null,
      tasks: [{ device: 'look-2', domain: 'A' }],
    });
    const bad = await stillpoint.client.previewDefinition({
      body: { name: 'draft', schedule: '0 0 31 2 * ?', window: ['22:00-22:00'], activities },
    });
    if (bad.ok) throw new Error('It is a plan that cannot be kept.');
    expect(bad.problem).toMatchObject({ code: 'DOCUMENT_REFUSED', status: 422 });
    expect(bad.problem.errors?.map(({ path }) => path)).toEqual(['/schedule', '/window/0']);
    expect(await everything()).toEqual(before);
  });
});

it('the calendar lists what is to come, and what would be skipped', async () => {
  const schedule = '0 0 0 * * ?';
  const activities = [{ exportDomain: { devices: 'nothing', domains: 'A' } }];
  await stillpoint.definePlan({
    name: 'daily',
    schedule,
    timezone: 'UTC',
    window: ['12:00-13:00'],
    activities,
  });
  const answer = await stillpoint.client.getPlanCalendar({ query: { days: 3 } });
  if (!answer.ok) throw new Error(answer.problem.detail);
  const fires = answer.value.fires.filter(({ plan }) => plan === 'daily');
  expect(fires).toHaveLength(3);
  for (const { at, isWindowOpen, sentence } of fires) {
    expect(at).toMatch(/T00:00:00.000Z$/);
    expect(isWindowOpen).toBe(false);
    expect(sentence).toContain('Would be skipped');
  }
  await stillpoint.definePlan({ name: 'daily', schedule: null, activities });
});

describe('a window that is overridden', () => {
  it('lets one run begin on a blackout date too, with a reason that is kept and shown', async () => {
    await stillpoint.connectFleet([{ name: 'look-3', domains: [{ name: 'A' }] }]);
    const today = new Date(stillpoint.clock.now()).toISOString().slice(0, 10);
    const activities = [{ exportDomain: { devices: 'look-3', domains: 'A' } }];
    const plan = { window: [closed()], blackoutDates: [today], timezone: 'UTC', activities };
    const windowOverrideReason = 'A fix pack comes tonight.';
    const { run, lines } = await stillpoint.runPlan(plan, { windowOverrideReason });
    expect(run).toMatchObject({ status: 'SUCCEEDED', windowOverrideReason });
    expect(lines).toEqual(['look-3/A SUCCEEDED']);
  });

  it.each(['too short', 'x'.repeat(501)])('is refused for the reason %.20s', async (windowOverrideReason) => {
    const name = await stillpoint.definePlan({
      activities: [{ exportDomain: { devices: 'nothing', domains: 'A' } }],
    });
    const answer = await stillpoint.client.runPlan({ params: { name }, body: { windowOverrideReason } });
    expect(answer).toMatchObject({ ok: false, problem: { code: 'REQUEST_NOT_VALID' } });
  });
});
