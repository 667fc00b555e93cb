import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeviceDescriptionInput } from '../../packages/simulator/src/index.ts';
import { good } from '../crash/testing/good.ts';
import type { PretendFleet } from './testing/pretend-fleet.ts';
import type { ScriptCall } from './testing/scripts-folder.ts';
import { type PlanInput, type Stillpoint, startStillpoint } from './testing/start-stillpoint.ts';

let stillpoint: Stillpoint;

beforeAll(async () => {
  stillpoint = await startStillpoint();
});
afterAll(() => stillpoint.finish());

type Scene = { readonly fleet: PretendFleet; readonly plan: PlanInput };

/** A device with the domains A and B, and a plan that exports both between two recording scripts. */
async function connect(
  device: string,
  exitCodes: { before?: number; after?: number } = {},
  more: Partial<DeviceDescriptionInput> = {},
): Promise<Scene> {
  const domains = [{ name: 'A' }, { name: 'B' }];
  const fleet = await stillpoint.connectFleet([{ name: device, domains, ...more }]);
  const prePlanScript = `${device}-before.sh`;
  const postPlanScript = `${device}-after.sh`;
  stillpoint.scripts.writeRecorder(prePlanScript, exitCodes.before);
  stillpoint.scripts.writeRecorder(postPlanScript, exitCodes.after);
  const activities = [{ exportDomain: { devices: device, domains: 'A,B', errorPolicy: 'ignore' as const } }];
  return { fleet, plan: { name: `plan of ${device}`, prePlanScript, postPlanScript, activities } };
}

function callsAround(device: string): { before: ScriptCall[]; after: ScriptCall[] } {
  const [before, after] = ['before', 'after'].map((when) =>
    stillpoint.scripts.callsOf(`${device}-${when}.sh`),
  );
  return { before: before ?? [], after: after ?? [] };
}

async function planIdOf(name: string | undefined): Promise<string> {
  const [row] = await stillpoint.query('select id from plan where name = $1', [name]);
  return (row as { id: string }).id;
}

describe('row 6 of the run table: at least one task is not skipped', () => {
  it('a run of which every task is skipped ends as skipped, and no script runs', async () => {
    const { fleet, plan } = await connect('skipped-1', {}, { isDown: true });
    const { run, lines } = await stillpoint.runPlan(plan);
    expect(`${run.status} ${run.reasonCode}`).toBe('SKIPPED ALL_TASKS_SKIPPED');
    expect(lines).toEqual(['skipped-1/A,B SKIPPED SKIPPED_DEVICE_NOT_AVAILABLE']);
    expect(callsAround('skipped-1')).toEqual({ before: [], after: [] });
    expect(fleet.requests('skipped-1')).toEqual([]);
    expect(stillpoint.store.files('skipped-1')).toEqual([]);
  });
});

describe('row 7 of the run table: the pre-plan script', () => {
  it('runs before anything is sent to a device, and is given what it needs to know', async () => {
    const { fleet, plan } = await connect('before-1');
    const gate = stillpoint.scripts.writeGate('before-1-gate.sh');
    const gated = await stillpoint.startRun({ ...plan, prePlanScript: 'before-1-gate.sh' });
    await gate.reached();
    expect(fleet.sentTo('before-1')).toEqual([]);
    expect((await stillpoint.tasksOf(gated)).map(({ status }) => status)).toEqual(['WAITING', 'WAITING']);
    gate.open();
    expect((await stillpoint.endOf(gated)).run.status).toBe('SUCCEEDED');

    const { run } = await stillpoint.runPlan(plan);
    const [call] = callsAround('before-1').before;
    const planId = await planIdOf(plan.name);
    expect(call?.args).toEqual(['BACKUP-PLAN', 'PRE', planId, 'plan of before-1']);
    const facts = { kind: 'BACKUP-PLAN', phase: 'PRE', planId, planName: plan.name, runId: run.id };
    expect(call?.facts).toEqual(facts);
    expect(call?.environment).toEqual({
      STILLPOINT_KIND: 'BACKUP-PLAN',
      STILLPOINT_PHASE: 'PRE',
      STILLPOINT_PLAN_ID: planId,
      STILLPOINT_PLAN_NAME: plan.name,
      STILLPOINT_RUN_ID: run.id,
    });
  });

  it.each([
    ['ends with exit code 3', (name: string) => stillpoint.scripts.writeRecorder(name, 3), 'exit code 3'],
    ['is not there', () => undefined, 'does not exist'],
  ])(
    'that %s fails the run; every waiting task is told, no device hears anything',
    async (why, make, saying) => {
      const device = `before-${why.length}`;
      const { fleet, plan } = await connect(device);
      const prePlanScript = `${device}-bad.sh`;
      make(prePlanScript);
      const { run, tasks, lines } = await stillpoint.runPlan({ ...plan, prePlanScript });
      expect(`${run.status} ${run.reasonCode}`).toBe('FAILED PLAN_FAILED_PRE_SCRIPT');
      expect(run.sentence).toContain(prePlanScript);
      expect(run.sentence).toContain(saying);
      expect(lines).toEqual([
        `${device}/A CANCELLED PLAN_FAILED_PRE_SCRIPT`,
        `${device}/B CANCELLED PLAN_FAILED_PRE_SCRIPT`,
      ]);
      expect(tasks.map(({ startedAt }) => startedAt)).toEqual([null, null]);
      expect(callsAround(device).after).toEqual([]);
      expect(fleet.sentTo(device)).toEqual([]);
      expect(stillpoint.store.files(device)).toEqual([]);
    },
  );

  it('that runs into its time-out is killed with all it started, and fails the run', async () => {
    const { fleet, plan } = await connect('before-late');
    await stillpoint.setParameters({ 'scripts.timeoutSeconds': 1 });
    stillpoint.scripts.writeGate('before-late-gate.sh');
    const { run } = await stillpoint.runPlan({ ...plan, prePlanScript: 'before-late-gate.sh' });
    expect(`${run.status} ${run.reasonCode}`).toBe('FAILED PLAN_FAILED_PRE_SCRIPT');
    expect(run.sentence).toContain('longer than 1 seconds');
    expect(fleet.sentTo('before-late')).toEqual([]);
  });

  it('that an operator cancels is cut off, and the run is cancelled, not failed', async () => {
    const { fleet, plan } = await connect('before-cancelled');
    const prePlanScript = 'before-cancelled-endless.sh';
    const endless = stillpoint.scripts.writeEndless(prePlanScript);
    const started = await stillpoint.startRun({ ...plan, prePlanScript });
    const { id } = started;
    await endless.reached();
    good(await stillpoint.client.cancelRun({ params: { id } }));
    const { run, lines } = await stillpoint.endOf(started);
    expect(`${run.status} ${run.reasonCode}`).toBe('CANCELLED EXECUTION_CANCELED_BY_OPERATOR');
    expect(lines).toEqual(
      ['A', 'B'].map((domain) => `before-cancelled/${domain} CANCELLED EXECUTION_CANCELED_BY_OPERATOR`),
    );
    expect(callsAround('before-cancelled').after).toEqual([]);
    expect(fleet.sentTo('before-cancelled')).toEqual([]);
    const { items } = good(await stillpoint.client.listRunScripts({ params: { id } }));
    const output = `begun\nThe script ${prePlanScript} was cut off.\n`;
    expect(items).toMatchObject([{ phase: 'pre', script: prePlanScript, exitCode: null, output }]);
  });

  it('leaves its output and exit code with the run', async () => {
    const { plan } = await connect('before-output');
    const { run } = await stillpoint.runPlan(plan);
    const { items } = good(await stillpoint.client.listRunScripts({ params: { id: run.id } }));
    const spoken = (name: string): string => `script ${name} speaking\n`;
    expect(items).toMatchObject(
      ['before', 'after'].map((when) => {
        const script = `before-output-${when}.sh`;
        return { phase: when === 'after' ? 'post' : 'pre', script, exitCode: 0, output: spoken(script) };
      }),
    );
  });
});

describe('row 9 of the run table: the post-plan script', () => {
  it('is told how the run and each of its tasks ended', async () => {
    const { fleet, plan } = await connect('after-1');
    fleet.device('after-1').orderFault({ kind: 'bad-crc', domain: 'B' });
    const { run, tasks, lines } = await stillpoint.runPlan(plan);
    expect(lines).toEqual(['after-1/A SUCCEEDED', 'after-1/B FAILED EXPORT_BAD_CRC']);
    expect(`${run.status} ${run.reasonCode}`).toBe('PARTIAL SOME_TASKS_FAILED');
    const list = tasks
      .map(({ id, domain, status }) => `${id},exportDomain,after-1,${domain},${status}`)
      .join('~');
    const planId = await planIdOf(plan.name);
    const [call] = callsAround('after-1').after;
    const common = ['BACKUP-PLAN', 'POST', planId, 'plan of after-1'];
    const statusCode = 'PARTIAL';
    const message = `Of the tasks of ${plan.name}, 1 succeeded, 1 failed and 0 were cancelled.`;
    expect(call?.args).toEqual([...common, statusCode, message, 'FFU', 'FFU', list]);
    expect(call?.facts).toEqual({
      kind: 'BACKUP-PLAN',
      phase: 'POST',
      planId,
      planName: plan.name,
      runId: run.id,
      statusCode,
      message,
      tasks: list,
    });
    expect(call?.environment.STILLPOINT_TASKS).toBe(list);
  });

  it('runs after the last task has ended, whatever its outcome', async () => {
    const { fleet, plan } = await connect('after-2');
    fleet.device('after-2').orderFault({ kind: 'error-log', operation: 'do-backup', times: -1 });
    const { run } = await stillpoint.runPlan(plan);
    expect(run.status).toBe('FAILED');
    const [call] = callsAround('after-2').after;
    expect(call?.args[8]?.match(/FAILED/g)).toHaveLength(2);
  });

  it('that fails is a warning on the run, and nothing else', async () => {
    const { plan } = await connect('after-3', { after: 7 });
    const { run, lines } = await stillpoint.runPlan(plan);
    expect(`${run.status} ${run.reasonCode}`).toBe('SUCCEEDED null');
    expect(run.warnings).toEqual(['The script after-3-after.sh failed: It ended with exit code 7.']);
    expect(lines).toEqual(['after-3/A SUCCEEDED', 'after-3/B SUCCEEDED']);
    expect(stillpoint.store.filesUntimed('after-3')).toEqual([
      'after-3/domain/A/A-export-TIME-persisted.zip',
      'after-3/domain/B/B-export-TIME-persisted.zip',
    ]);
  });

  it('is given no secret', async () => {
    const { plan } = await connect('after-4', {}, { password: 'not-for-scripts' });
    const { run } = await stillpoint.runPlan(plan);
    expect(run.status).toBe('SUCCEEDED');
    const { before, after } = callsAround('after-4');
    expect(after[0]?.args.slice(4, 6)).toEqual(['SUCCEEDED', 'NONE']);
    expect(JSON.stringify([before, after])).not.toContain('not-for-scripts');
  });
});
