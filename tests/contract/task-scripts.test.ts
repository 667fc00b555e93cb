import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { good } from '../crash/testing/good.ts';
import type { PretendFleet } from './testing/pretend-fleet.ts';
import {
  type Outcome,
  type PlanInput,
  type Stillpoint,
  startStillpoint,
} from './testing/start-stillpoint.ts';

let stillpoint: Stillpoint;

beforeAll(async () => {
  stillpoint = await startStillpoint();
});
afterAll(() => stillpoint.finish());

type Activity = NonNullable<NonNullable<PlanInput['activities']>[number]['exportDomain']>;
type Scene = {
  readonly fleet: PretendFleet;
  /** Names of two recording scripts. */
  readonly before: string;
  readonly after: string;
  run(activity: Partial<Activity>): Promise<Outcome>;
  runSecureBackup(): Promise<Outcome>;
};

async function connect(device: string, exitCodes: { before?: number; after?: number } = {}): Promise<Scene> {
  const fleet = await stillpoint.connectFleet([{ name: device, domains: [{ name: 'A' }] }]);
  const [before, after] = [`${device}-before.sh`, `${device}-after.sh`];
  stillpoint.scripts.writeRecorder(before, exitCodes.before);
  stillpoint.scripts.writeRecorder(after, exitCodes.after);
  const scripts = { preTaskScript: before, postTaskScript: after };
  const name = `plan of ${device}`;
  return {
    fleet,
    before,
    after,
    run: (activity) => {
      const exportDomain = { devices: device, domains: 'A', quiesce: true, ...scripts, ...activity };
      return stillpoint.runPlan({ name, activities: [{ exportDomain }] });
    },
    runSecureBackup: () => {
      const secureBackup = { devices: device, certificate: 'dr-cert', ...scripts };
      return stillpoint.runPlan({ name, activities: [{ secureBackup }] });
    },
  };
}

const somaPortOf = (fleet: PretendFleet, device: string): string => String(fleet.device(device).address.port);

describe('row 6 of the task table: the pre-task script', () => {
  it('runs before anything is sent to the device, and is given what it needs to know', async () => {
    const { fleet, before, run } = await connect('before-1');
    const gate = stillpoint.scripts.writeGate('before-1-gate.sh');
    const ended = run({ preTaskScript: 'before-1-gate.sh' });
    await gate.reached();
    expect(fleet.sentTo('before-1')).toEqual([]);
    gate.open();
    expect((await ended).lines).toEqual(['before-1/A SUCCEEDED']);

    const { tasks } = await run({});
    const [call] = stillpoint.scripts.callsOf(before);
    const taskId = tasks[0]?.id ?? '';
    const port = somaPortOf(fleet, 'before-1');
    const where = ['before-1', '127.0.0.1', port, 'A'];
    const planName = 'plan of before-1';
    expect(call?.args).toEqual(['BACKUP-TASK', 'PRE', taskId, planName, 'exportDomain', ...where]);
    expect(call?.facts).toMatchObject({
      kind: 'BACKUP-TASK',
      phase: 'PRE',
      taskId,
      runId: tasks[0]?.runId,
      planName,
      action: 'exportDomain',
      deviceName: 'before-1',
      deviceHost: '127.0.0.1',
      somaPort: port,
      domain: 'A',
    });
    expect(call?.environment).toMatchObject({
      STILLPOINT_TASK_ID: taskId,
      STILLPOINT_DEVICE_NAME: 'before-1',
    });
    expect(JSON.stringify(call)).not.toContain('admin-password');
  });

  it('that fails leaves the device untouched, and the post-task script still runs', async () => {
    const { fleet, before, after, run } = await connect('before-2', { before: 4 });
    const { tasks, lines } = await run({});
    expect(lines).toEqual(['before-2/A FAILED TASK_FAILED_PRE_SCRIPT']);
    expect(tasks[0]?.sentence).toContain(`The script ${before} ended with exit code 4.`);
    expect(fleet.sentTo('before-2')).toEqual([]);
    expect(stillpoint.store.files('before-2')).toEqual([]);
    const calls = stillpoint.scripts.callsOf(after);
    expect(calls).toHaveLength(1);
    expect(calls[0]?.args.slice(4, 6)).toEqual([
      'TASK_FAILED_PRE_SCRIPT',
      `The script ${before} ended with exit code 4.`,
    ]);
  });

  it('that is not there fails the task in the same way', async () => {
    const { fleet, after, run } = await connect('before-3');
    const { lines } = await run({ preTaskScript: 'no-such-script.sh' });
    expect(lines).toEqual(['before-3/A FAILED TASK_FAILED_PRE_SCRIPT']);
    expect(fleet.sentTo('before-3')).toEqual([]);
    expect(stillpoint.scripts.callsOf(after)).toHaveLength(1);
  });
});

describe('row 12 of the task table: the post-task script', () => {
  it('runs after the device was set moving, and is given how an export ended', async () => {
    const { fleet, after, run } = await connect('after-1');
    const { tasks } = await run({});
    const port = somaPortOf(fleet, 'after-1');
    const taskId = tasks[0]?.id ?? '';
    const [call] = stillpoint.scripts.callsOf(after);
    const end = ['SUCCEEDED', 'NONE', 'FFU', 'FFU', 'exportDomain'];
    const where = ['after-1', '127.0.0.1', port, 'A'];
    expect(call?.args).toEqual(['BACKUP-TASK', 'POST', taskId, 'plan of after-1', ...end, ...where]);
    expect(call?.facts).toMatchObject({ phase: 'POST', statusCode: 'SUCCEEDED', message: null, taskId });
    const steps = tasks[0]?.steps.map(({ name }) => name) ?? [];
    expect(steps.indexOf('runPostScript')).toBeGreaterThan(steps.lastIndexOf('unquiesce'));
    expect(fleet.device('after-1').domain('A').phase).toBe('normal');
  });

  it('is given ALL for the domain of a secure backup and of an export of all domains', async () => {
    const { before, after, run, runSecureBackup } = await connect('after-2');
    await runSecureBackup();
    const [prior] = stillpoint.scripts.callsOf(before);
    expect([prior?.args[4], prior?.args[8]]).toEqual(['secureBackup', 'ALL']);
    const [later] = stillpoint.scripts.callsOf(after);
    expect([later?.args[8], later?.args[12]]).toEqual(['secureBackup', 'ALL']);
    await run({ domains: 'all-domains' });
    const exports = stillpoint.scripts.callsOf(after).filter(({ args }) => args[8] === 'exportDomain');
    expect(exports.map(({ args }) => args[12])).toEqual(['ALL']);
  });

  it('asked for on failure does not run after a success', async () => {
    const { after, run } = await connect('after-3');
    const { lines } = await run({ postTaskScript: { script: after, when: 'onFailure' } });
    expect(lines).toEqual(['after-3/A SUCCEEDED']);
    expect(stillpoint.scripts.callsOf(after)).toEqual([]);
  });

  it('asked for on failure runs after a failure, once the domain was set moving', async () => {
    const { fleet, after, run } = await connect('after-4');
    fleet.device('after-4').orderFault({ kind: 'bad-crc' });
    const { lines } = await run({ postTaskScript: { script: after, when: 'onFailure' } });
    expect(lines).toEqual(['after-4/A FAILED EXPORT_BAD_CRC']);
    const [call] = stillpoint.scripts.callsOf(after);
    expect(call?.args[4]).toBe('EXPORT_BAD_CRC');
    expect(call?.args[5]).not.toBe('NONE');
    expect(fleet.sentTo('after-4').at(-1)).toBe('DomainUnquiesce A');
  });

  it('that fails is a warning on the task, and the backup stays', async () => {
    const { after, run } = await connect('after-5', { after: 9 });
    const { tasks, lines, run: ended } = await run({});
    expect(lines).toEqual(['after-5/A SUCCEEDED']);
    expect(tasks[0]?.warnings).toEqual([`The script ${after} failed: It ended with exit code 9.`]);
    expect(ended.status).toBe('SUCCEEDED');
    expect(stillpoint.store.filesUntimed('after-5')).toEqual([
      'after-5/domain/A/A-export-TIME-persisted.zip',
    ]);
  });
});

describe('a script that an operator cancels', () => {
  async function cancelDuring(device: string, which: 'preTaskScript' | 'postTaskScript') {
    const { fleet, after } = await connect(device);
    const name = `${device}-endless.sh`;
    const endless = stillpoint.scripts.writeEndless(name);
    const scripts = { preTaskScript: null, postTaskScript: after, [which]: name };
    const exportDomain = { devices: device, domains: 'A', quiesce: true, ...scripts };
    const started = await stillpoint.startRun({ name: `plan of ${device}`, activities: [{ exportDomain }] });
    await endless.reached();
    good(await stillpoint.client.cancelRun({ params: { id: started.id } }));
    return { fleet, after, name, ...(await stillpoint.endOf(started)) };
  }

  it('before the quiesce leaves the device untouched, and the post-task script is told of the cancel', async () => {
    const { fleet, after, name, tasks, lines } = await cancelDuring('cancel-1', 'preTaskScript');
    expect(lines).toEqual(['cancel-1/A CANCELLED EXECUTION_CANCELED_BY_OPERATOR']);
    expect(fleet.sentTo('cancel-1')).toEqual([]);
    expect(stillpoint.scripts.callsOf(after)[0]?.args[4]).toBe('EXECUTION_CANCELED_BY_OPERATOR');
    const output = `begun\nThe script ${name} was cut off.\n`;
    expect(tasks[0]?.scripts).toMatchObject([
      { phase: 'pre', script: name, exitCode: null, output },
      { phase: 'post', script: after, exitCode: 0, output: `script ${after} speaking\n` },
    ]);
  });

  it('after the backup leaves the backup, and is a warning', async () => {
    const { tasks, lines } = await cancelDuring('cancel-2', 'postTaskScript');
    expect(lines).toEqual(['cancel-2/A SUCCEEDED']);
    expect(tasks[0]?.warnings).toHaveLength(1);
    expect(tasks[0]?.warnings[0]).toContain('was cut off');
  });
});

describe('scripts as operators see them', () => {
  it('are listed and tried out on the server', async () => {
    stillpoint.scripts.writeRecorder('trial.sh', 3);
    const listed = good(await stillpoint.client.listScripts());
    expect(listed.folder).toBe(stillpoint.scripts.path);
    expect(listed.items).toContainEqual({ name: 'trial.sh', sizeBytes: expect.any(Number), problem: null });
    const params = { name: 'trial.sh' };
    const tried = good(await stillpoint.client.testScript({ params, body: { kind: 'post-task' } }));
    expect(tried).toMatchObject({ exitCode: 3, problem: null, output: 'script trial.sh speaking\n' });
    const [call] = stillpoint.scripts.callsOf('trial.sh');
    expect(call?.args).toEqual(tried.arguments);
    expect(call?.facts).toEqual(tried.input);
    const elsewhere = { params: { name: '../trial.sh' }, body: {} };
    expect(good(await stillpoint.client.testScript(elsewhere))).toMatchObject({
      exitCode: null,
      problem: { code: 'SCRIPT_NOT_FOUND' },
    });
  });

  it('that a plan names and that are not there are told when it is applied, and do not stop that', async () => {
    const plans = [{ name: 'of the future', enabled: false, prePlanScript: 'not-yet.sh' }];
    const applied = good(await stillpoint.client.applyDocument({ body: { plans }, query: {} }));
    expect(applied.objects).toMatchObject([{ name: 'of the future', outcome: 'created' }]);
    expect(applied.warnings).toHaveLength(1);
    expect(applied.warnings[0]).toMatch(
      /^Plan of the future: The script "not-yet.sh" does not exist in .*scripts.path/,
    );
  });
});
