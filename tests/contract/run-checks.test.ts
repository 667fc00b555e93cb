import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PretendFleet } from './testing/pretend-fleet.ts';
import { type PlanInput, type Stillpoint, startStillpoint } from './testing/start-stillpoint.ts';

const HOUR_MS = 3_600_000;
const scripts = { prePlanScript: 'before.sh', postPlanScript: 'after.sh' };
let stillpoint: Stillpoint;

beforeAll(async () => {
  stillpoint = await startStillpoint();
  for (const name of Object.values(scripts)) stillpoint.scripts.writeRecorder(name);
});
afterAll(() => stillpoint.finish());

async function connect(device: string): Promise<{ fleet: PretendFleet; plan: PlanInput }> {
  const fleet = await stillpoint.connectFleet([{ name: device, domains: [{ name: 'A' }] }]);
  const exportOfA = { devices: device, domains: 'A', quiesce: true };
  return { fleet, plan: { ...scripts, activities: [{ exportDomain: exportOfA }] } };
}

/** Runs a plan that must end before its expansion: no device is asked, no script runs, nothing is written. */
async function expectRefusal(device: string, change: PlanInput, expected: string): Promise<string> {
  const { fleet, plan } = await connect(device);
  const { run, tasks } = await stillpoint.runPlan({ ...plan, ...change });
  expect(`${run.status} ${run.reasonCode}`).toBe(expected);
  expect(tasks).toEqual([]);
  expect(fleet.requests(device)).toEqual([]);
  expectNothingDone(device);
  return run.sentence ?? '';
}

function expectNothingDone(device: string): void {
  for (const name of Object.values(scripts)) expect(stillpoint.scripts.callsOf(name)).toEqual([]);
  expect(stillpoint.store.files(device)).toEqual([]);
  expect(stillpoint.store.leftovers()).toEqual([]);
}

/** Both ends are whole minutes from now, in UTC. */
function windowFromNow(fromMinutes: number, toMinutes: number): string {
  const at = (minutes: number): string =>
    new Date(stillpoint.clock.now() + minutes * 60_000).toISOString().slice(11, 16);
  return `${at(fromMinutes)}-${at(toMinutes)}`;
}

describe('row 1 of the run table: backups are enabled', () => {
  it('a run ends as skipped while backups are switched off', async () => {
    await stillpoint.setParameters({ 'backups.enabled': false });
    const sentence = await expectRefusal('off-1', {}, 'SKIPPED BACKUPS_ARE_DISABLED');
    expect(sentence).toContain('Set the parameter backups.enabled to true.');
  });
});

describe('row 2 of the run table: inside the window', () => {
  const outside = 'SKIPPED PRE_VALIDATION_OUT_OF_MAINTENANCE_WINDOW';
  const unreadable = 'FAILED PRE_VALIDATION_INVALID_TIMEFRAME_FORMAT';

  it('a run outside the window of its plan ends as skipped', async () => {
    await expectRefusal('window-1', { window: [windowFromNow(120, 180)] }, outside);
  });

  it('a run outside the default window ends as skipped', async () => {
    await stillpoint.setParameters({ 'window.default': windowFromNow(120, 180) });
    await expectRefusal('window-2', { window: 'default' }, outside);
  });

  it('a run on a blackout date ends as skipped', async () => {
    const day = (offset: number): string =>
      new Date(stillpoint.clock.now() + offset * 24 * HOUR_MS).toISOString().slice(0, 10);
    await expectRefusal('window-3', { blackoutDates: [`${day(-1)}/${day(1)}`] }, outside);
  });

  it('a run whose default window cannot be read ends as failed', async () => {
    await stillpoint.forceParameter('window.default', '25:00-26:00');
    const sentence = await expectRefusal('window-4', { window: 'default' }, unreadable);
    expect(sentence).toContain('25:00-26:00');
  });

  it('a run with a quiesce time-out under 60 seconds ends as failed', async () => {
    await stillpoint.forceParameter('quiesce.timeoutSeconds', 59);
    const code = 'PRE_VALIDATION_QUIESCE_TIMEOUT_SYSPARM_TOO_SHORT';
    expect(await expectRefusal('window-5', {}, `FAILED ${code}`)).toContain('59');
  });

  it('a window that is open, or overridden with a reason, lets the run through', async () => {
    const { plan } = await connect('window-6');
    const { activities = [] } = plan;
    const inside = await stillpoint.runPlan({ activities, window: [windowFromNow(-60, 60)] });
    expect(inside.lines).toEqual(['window-6/A SUCCEEDED']);
    const windowOverrideReason = 'before the firmware upgrade';
    const closed = { activities, window: [windowFromNow(120, 180)] };
    const overridden = await stillpoint.runPlan(closed, { windowOverrideReason });
    expect(overridden.lines).toEqual(['window-6/A SUCCEEDED']);
    expect(overridden.run.windowOverrideReason).toBe(windowOverrideReason);
  });
});

describe('row 3 of the run table: the store is the mounted file system that was set up', () => {
  const notMounted = 'FAILED PRE_VALIDATION_STORE_IS_NOT_MOUNTED';

  /** Another store, set up; the parameter names it from then on. */
  async function setUpStore(name: string): Promise<string> {
    const path = join(stillpoint.folder, name);
    mkdirSync(path);
    await stillpoint.setParameters({ 'store.path': path });
    await stillpoint.client.initStore();
    return path;
  }

  it('a store on a local disk is refused when a network file system is asked for', async () => {
    await stillpoint.setParameters({ 'store.requireRemoteMount': true });
    const sentence = await expectRefusal('store-1', {}, notMounted);
    expect(sentence).toContain(stillpoint.store.root);
  });

  it('a store without its marker is refused', async () => {
    const path = await setUpStore('marker-missing');
    rmSync(join(path, '.stillpoint'), { recursive: true });
    expect(await expectRefusal('store-2', {}, notMounted)).toContain(path);
  });

  it('a store with the marker of another store is refused', async () => {
    const path = await setUpStore('marker-of-another');
    cpSync(join(stillpoint.store.root, '.stillpoint', 'store.json'), join(path, '.stillpoint', 'store.json'));
    expect(await expectRefusal('store-3', {}, notMounted)).toContain(path);
  });

  it('a store that was never set up here is refused though it carries a marker', async () => {
    const path = await setUpStore('set-up-elsewhere');
    await stillpoint.query('delete from known_store where path = $1', [path]);
    await expectRefusal('store-4', {}, notMounted);
  });

  it('a path that does not exist is refused, and is not made', async () => {
    const path = join(stillpoint.folder, 'nowhere');
    await stillpoint.setParameters({ 'store.path': path });
    expect(await expectRefusal('store-5', {}, notMounted)).toContain(path);
    expect(() => rmSync(path)).toThrow('ENOENT');
  });
});

describe('row 4 of the run table: enough free space in the store', () => {
  it('a run ends as failed when the store has less than is asked for', async () => {
    // More than any disk can have free, so that the test does not depend on the disk it runs on.
    await stillpoint.forceParameter('store.minFreePercent', 101);
    const sentence = await expectRefusal('space-1', {}, 'FAILED PRE_VALIDATION_BACKUP_STORE_OUT_OF_SPACE');
    expect(sentence).toMatch(/has [\d.]+ % free, less than the 101 %/);
  });
});

describe('queue.maxHours', () => {
  it('a run that waited longer than allowed ends as skipped', async () => {
    await stillpoint.setParameters({ 'queue.maxHours': 2 });
    const { fleet, plan } = await connect('queue-1');
    const name = await stillpoint.definePlan(plan);
    // A run reads the parameters first: as long as their table is held, it cannot go on.
    const giveBack = await stillpoint.holdTable('parameter');
    const queued = await stillpoint.queueRun(name);
    await stillpoint.runIn(queued, 'VALIDATING');
    stillpoint.clock.putForward(2 * HOUR_MS + 1000);
    await giveBack();
    const { run, tasks } = await stillpoint.endOf(queued);
    expect(`${run.status} ${run.reasonCode}`).toBe(
      'SKIPPED PREPROCESS_EXECUTION_SKIPPED_BECAUSE_A_DAY_PASSED',
    );
    expect(tasks).toEqual([]);
    expect(fleet.requests('queue-1')).toEqual([]);
    expectNothingDone('queue-1');
  });
});
