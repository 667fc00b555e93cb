import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Parameters, parametersInForce, type RunSpec } from '@stillpoint/core';
import type { Database } from '@stillpoint/database';
import { openTestDatabase } from '@stillpoint/database/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { emptyTables } from '../testing/empty-tables.ts';
import { sampleDevice } from '../testing/sample-device.ts';
import { samplePlan } from '../testing/sample-plan.ts';
import { sampleSecureBackup, sampleTask } from '../testing/sample-task.ts';
import { seedRun, seedTask } from '../testing/seed-run.ts';
import { StoredDefinitions } from './definitions.ts';
import { ScriptDesk } from './script-desk.ts';
import { StoredHistory } from './stored-history.ts';
import type { Tables } from './tables.ts';

const { signal } = new AbortController();
const planId = randomUUID();
const plan = samplePlan({ name: 'nightly all', prePlanScript: 'note.sh', postPlanScript: 'note.sh' });
const scripts = { preTaskScript: 'note.sh', postTaskScript: { script: 'note.sh', when: 'always' } } as const;

let database: Database<Tables>;
let folder: string;
let set: Partial<Parameters>;
let desk: ScriptDesk;
let run: RunSpec;

beforeAll(async () => {
  database = await openTestDatabase<Tables>();
});

afterAll(() => database.close());

beforeEach(async () => {
  await emptyTables(database.kysely);
  folder = mkdtempSync(join(tmpdir(), 'stillpoint-desk-'));
  set = {};
  desk = new ScriptDesk(database.kysely, {
    parameters: async () => parametersInForce(set),
    defaultFolder: folder,
    mayBegin: () => true,
    nodeId: 'test',
  });
  const lines = [
    '#!/bin/sh',
    'printf "%s\\037" "$@" > args',
    'env > environment',
    'cat > facts',
    'echo noted',
  ];
  writeFileSync(join(folder, 'note.sh'), lines.join('\n'), { mode: 0o755 });
  run = await seedRun(database.kysely, { plan });
  const definitions = new StoredDefinitions(database.kysely, Buffer.alloc(32));
  await definitions.save({ parameters: {}, devices: [sampleDevice({ somaPort: 5551 })], plans: [] });
});

afterEach(() => rmSync(folder, { recursive: true }));

const argsGiven = (): string[] => readFileSync(join(folder, 'args'), 'utf8').split('\x1f').slice(0, -1);
const factsGiven = (): unknown => JSON.parse(readFileSync(join(folder, 'facts'), 'utf8'));

const outputs = () =>
  database.kysely
    .selectFrom('script_output')
    .select(['subject_id', 'phase', 'script', 'exit_code', 'output'])
    .execute();

describe('the arguments', () => {
  it('of a pre-plan script are four', async () => {
    expect(await desk.runPrePlan(run, planId, signal)).toEqual({ ok: true, value: { exitCode: 0 } });
    expect(argsGiven()).toEqual(['BACKUP-PLAN', 'PRE', planId, 'nightly all']);
  });

  it('of a post-plan script end with what became of each task, in the order of creation', async () => {
    const secure = sampleSecureBackup(run);
    const one = sampleTask({ ...run, device: 'QA2' });
    const all = sampleTask({ ...run, device: 'QA3', domain: 'all-domains', isAllDomains: true });
    await seedTask(database.kysely, secure, { status: 'SUCCEEDED' });
    await seedTask(database.kysely, one, { status: 'FAILED' });
    await seedTask(database.kysely, all, { status: 'CANCELLED' });
    const end = { type: 'runPostScript', statusCode: 'FAILED', message: 'It was full.' } as const;
    await desk.runPostPlan(run, planId, end, signal);
    expect(argsGiven()).toEqual([
      'BACKUP-PLAN',
      'POST',
      planId,
      'nightly all',
      'FAILED',
      'It was full.',
      'FFU',
      'FFU',
      [
        `${secure.taskId},secureBackup,QA1,ALL,SUCCEEDED`,
        `${one.taskId},exportDomain,QA2,DOMAIN1,FAILED`,
        `${all.taskId},exportDomain,QA3,ALL,CANCELLED`,
      ].join('~'),
    ]);
  });

  it('of a post-plan script say NONE where there is no message, and nothing where there is no task', async () => {
    const end = { type: 'runPostScript', statusCode: 'SUCCEEDED', message: null } as const;
    await desk.runPostPlan(run, planId, end, signal);
    expect(argsGiven().slice(4)).toEqual(['SUCCEEDED', 'NONE', 'FFU', 'FFU', '']);
  });

  it.each([
    ['exportDomain', sampleTask, 'DOMAIN1'],
    ['secureBackup', sampleSecureBackup, 'ALL'],
  ])('of a pre-task script are nine (%s)', async (action, make, domain) => {
    const task = make({ ...scripts, runId: run.runId });
    await desk.runPreTask(task, signal);
    const where = ['QA1', 'qa1.example.com', '5551', domain];
    expect(argsGiven()).toEqual(['BACKUP-TASK', 'PRE', task.taskId, 'nightly all', action, ...where]);
  });

  it.each([
    ['exportDomain', sampleTask, 'DOMAIN1'],
    ['secureBackup', sampleSecureBackup, 'ALL'],
  ])('of a post-task script are thirteen (%s)', async (action, make, domain) => {
    const task = make({ ...scripts, runId: run.runId });
    const end = { type: 'runPostScript', statusCode: 'UNQUIESCE_TIMEOUT', message: 'Too slow.' } as const;
    await desk.runPostTask(task, end, signal);
    expect(argsGiven()).toEqual([
      ...['BACKUP-TASK', 'POST', task.taskId, 'nightly all', 'UNQUIESCE_TIMEOUT', 'Too slow.', 'FFU', 'FFU'],
      ...[action, 'QA1', 'qa1.example.com', '5551', domain],
    ]);
  });

  it('say ALL for an export of all domains, and the name for a domain that is really called so', async () => {
    const all = { ...scripts, runId: run.runId, domain: 'all-domains' };
    await desk.runPreTask(sampleTask({ ...all, isAllDomains: true }), signal);
    expect(argsGiven()[8]).toBe('ALL');
    await desk.runPreTask(sampleTask({ ...all, isAllDomains: false }), signal);
    expect(argsGiven()[8]).toBe('all-domains');
  });

  it('are of the plan as it was queued, and empty where the device is no longer defined', async () => {
    await database.kysely.deleteFrom('device').execute();
    await desk.runPreTask(sampleTask({ ...scripts, runId: run.runId }), signal);
    expect(argsGiven().slice(3)).toEqual(['nightly all', 'exportDomain', 'QA1', '', '', 'DOMAIN1']);
  });

  it('hold the beginning of a message that is longer than the kernel takes, standard input the whole', async () => {
    const task = sampleTask({ ...scripts, runId: run.runId });
    const message = 'ü€'.repeat(100_000);
    const end = { type: 'runPostScript', statusCode: 'SOAP_FAULT', message } as const;
    expect(await desk.runPostTask(task, end, signal)).toEqual({ ok: true, value: { exitCode: 0 } });
    const told = argsGiven()[5] ?? '';
    expect(told.length).toBeGreaterThan(40_000);
    expect(message.startsWith(told)).toBe(true);
    expect((factsGiven() as { message: string }).message).toBe(message);
  });

  it('hold as many whole tasks as the kernel takes; standard input holds them all', async () => {
    const device = 'D'.repeat(120);
    const tasks = Array.from({ length: 1200 }, () => sampleTask({ ...run, device }));
    for (const task of tasks) await seedTask(database.kysely, task, { status: 'SUCCEEDED' });
    const end = { type: 'runPostScript', statusCode: 'SUCCEEDED', message: null } as const;
    expect(await desk.runPostPlan(run, planId, end, signal)).toEqual({ ok: true, value: { exitCode: 0 } });
    const listed = (argsGiven()[8] ?? '').split('~');
    expect(listed.length).toBeLessThan(1200);
    expect(listed).toEqual(
      tasks.slice(0, listed.length).map(({ taskId }) => `${taskId},exportDomain,${device},DOMAIN1,SUCCEEDED`),
    );
    expect((factsGiven() as { tasks: string }).tasks.split('~')).toHaveLength(1200);
  });
});

describe('the facts', () => {
  it('of a task name the same things as its arguments, and its run', async () => {
    const task = sampleTask({ ...scripts, runId: run.runId });
    await desk.runPostTask(task, { type: 'runPostScript', statusCode: 'SUCCEEDED', message: null }, signal);
    expect(factsGiven()).toEqual({
      kind: 'BACKUP-TASK',
      phase: 'POST',
      taskId: task.taskId,
      runId: run.runId,
      planName: 'nightly all',
      action: 'exportDomain',
      deviceName: 'QA1',
      deviceHost: 'qa1.example.com',
      somaPort: '5551',
      domain: 'DOMAIN1',
      statusCode: 'SUCCEEDED',
      message: null,
    });
    const environment = readFileSync(join(folder, 'environment'), 'utf8');
    expect(environment).toContain(`STILLPOINT_TASK_ID=${task.taskId}\n`);
    expect(environment).toContain('STILLPOINT_STATUS_CODE=SUCCEEDED\n');
  });

  it('never hold the password of the device, nor its user', async () => {
    const task = sampleTask({ ...scripts, runId: run.runId });
    await desk.runPreTask(task, signal);
    const told = ['args', 'environment', 'facts']
      .map((file) => readFileSync(join(folder, file), 'utf8'))
      .join();
    expect(told).not.toContain(sampleDevice().password);
    expect(told).not.toContain(sampleDevice().username);
  });
});

describe('what a script printed', () => {
  it('is kept with its exit code, the last time in place of an earlier one', async () => {
    await desk.runPrePlan(run, planId, signal);
    writeFileSync(join(folder, 'note.sh'), '#!/bin/sh\necho worse >&2\nexit 7\n');
    expect(await desk.runPrePlan(run, planId, signal)).toEqual({ ok: true, value: { exitCode: 7 } });
    expect(await outputs()).toEqual([
      { subject_id: run.runId, phase: 'pre', script: 'note.sh', exit_code: 7, output: 'worse\n' },
    ]);
  });

  it('is kept for before and after, each on its own', async () => {
    await desk.runPrePlan(run, planId, signal);
    await desk.runPostPlan(
      run,
      planId,
      { type: 'runPostScript', statusCode: 'SUCCEEDED', message: null },
      signal,
    );
    expect((await outputs()).map(({ phase }) => phase).toSorted()).toEqual(['post', 'pre']);
  });

  it('is what the history shows of a run or a task, that from before it first', async () => {
    const task = sampleTask({ ...scripts, runId: run.runId });
    const end = { type: 'runPostScript', statusCode: 'SUCCEEDED', message: null } as const;
    await seedTask(database.kysely, task, { status: 'SUCCEEDED' });
    await desk.runPostTask(task, end, signal);
    await desk.runPreTask(task, signal);
    await desk.runPostPlan(run, planId, end, signal);
    const history = new StoredHistory(database.kysely, () => '');
    const shown = { script: 'note.sh', exitCode: 0, output: 'noted\n', endedAt: expect.any(String) };
    expect((await history.task(task.taskId))?.scripts).toEqual([
      { phase: 'pre', ...shown },
      { phase: 'post', ...shown },
    ]);
    expect(await history.runScripts(run.runId)).toEqual([{ phase: 'post', ...shown }]);
  });

  it('is kept also when it ran too long, with the reason after it', async () => {
    set = { 'scripts.timeoutSeconds': 1 };
    writeFileSync(join(folder, 'note.sh'), '#!/bin/sh\necho begun\nsleep 600\n');
    expect(await desk.runPrePlan(run, planId, signal)).toMatchObject({
      ok: false,
      fault: { code: 'SCRIPT_TIMED_OUT' },
    });
    const output = 'begun\nThe script note.sh ran longer than 1 seconds.\n';
    expect(await outputs()).toMatchObject([{ exit_code: null, output }]);
  });
});

describe('the folder', () => {
  it('is the one of the parameter scripts.path when it is set', async () => {
    const other = join(folder, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'note.sh'), '#!/bin/sh\nexit 9\n', { mode: 0o755 });
    set = { 'scripts.path': other };
    expect(await desk.runPrePlan(run, planId, signal)).toEqual({ ok: true, value: { exitCode: 9 } });
  });
});
