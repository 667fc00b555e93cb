import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Parameters, parametersInForce } from '@stillpoint/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isRunning, ScriptGround } from '../testing/script-ground.ts';
import { ScriptTrials } from './script-trials.ts';

let ground: ScriptGround;
let trials: ScriptTrials;
let set: Partial<Parameters>;

beforeEach(() => {
  ground = new ScriptGround();
  set = {};
  trials = new ScriptTrials({
    parameters: async () => parametersInForce(set),
    defaultFolder: ground.folder,
    mayBegin: () => true,
    nodeId: 'test',
  });
});

afterEach(async () => {
  await trials.stop();
  ground.dispose();
});

function write(...lines: string[]): void {
  writeFileSync(join(ground.folder, 'a.sh'), ['#!/bin/sh', ...lines].join('\n'), { mode: 0o755 });
}

const task = ['exportDomain', 'SAMPLE-DEVICE', 'sample-device.invalid', '5550', 'SAMPLE-DOMAIN'];
const id = (digit: number): string => `00000000-0000-0000-0000-00000000000${digit}`;
const list = `${id(3)},exportDomain,SAMPLE-DEVICE,SAMPLE-DOMAIN,SUCCEEDED~${id(4)},secureBackup,SAMPLE-DEVICE,ALL,SUCCEEDED`;
const end = ['SUCCEEDED', 'NONE', 'FFU', 'FFU'];

describe('a script on trial', () => {
  it.each([
    ['pre-plan', ['BACKUP-PLAN', 'PRE', id(1), 'SAMPLE-PLAN']],
    ['post-plan', ['BACKUP-PLAN', 'POST', id(1), 'SAMPLE-PLAN', ...end, list]],
    ['pre-task', ['BACKUP-TASK', 'PRE', id(3), 'SAMPLE-PLAN', ...task]],
    ['post-task', ['BACKUP-TASK', 'POST', id(3), 'SAMPLE-PLAN', ...end, ...task]],
  ] as const)('as %s is given what it would be given', async (kind, args) => {
    write('printf "%s\\n" "$@"', 'cat', 'env | sed "s/=.*//" | sort', 'exit 3');
    const trial = await trials.tryOut('a.sh', kind);
    expect(trial).toMatchObject({ folder: ground.folder, args, reply: { ok: true, value: { exitCode: 3 } } });
    const told = trial.environment.join('\n');
    expect(trial.output.replace('PWD\n', '')).toBe(
      `${args.join('\n')}\n${JSON.stringify(trial.facts)}\n${told}\n`,
    );
    expect(trial.durationMs).toBeGreaterThan(0);
  });

  it('reads what the page about scripts shows', async () => {
    write('cat');
    const page = readFileSync(new URL('../../../../docs/scripts.md', import.meta.url), 'utf8');
    expect(page).toContain(`\`\`\`json\n${(await trials.tryOut('a.sh', 'post-task')).output}\`\`\``);
  });

  it('that is not there, or not executable, is told with its code', async () => {
    expect((await trials.tryOut('missing.sh', 'pre-plan')).reply).toMatchObject({
      fault: { code: 'SCRIPT_NOT_FOUND' },
    });
    expect((await trials.tryOut('../a.sh', 'pre-plan')).output).toBe(
      `The script "../a.sh" is not the plain name of a file in ${ground.folder}.\n`,
    );
  });

  it('obeys the time limit of scripts', async () => {
    set = { 'scripts.timeoutSeconds': 1 };
    write('sleep 600');
    const trial = await trials.tryOut('a.sh', 'pre-plan');
    expect(trial.reply).toMatchObject({ fault: { code: 'SCRIPT_TIMED_OUT' } });
    expect(trial.output).toBe('The script a.sh ran longer than 1 seconds.\n');
  });

  it('is cut off when the server stops', async () => {
    write('echo $$ > pids.draft; mv pids.draft pids; sleep 600');
    const trial = trials.tryOut('a.sh', 'pre-plan');
    await expect.poll(() => existsSync(join(ground.folder, 'pids')), { timeout: 20_000 }).toBe(true);
    await trials.stop();
    expect((await trial).reply).toMatchObject({ fault: { code: 'SCRIPT_ABORTED' } });
    expect(ground.pidsIn('pids').filter(isRunning)).toEqual([]);
    expect((await trials.tryOut('a.sh', 'pre-plan')).reply).toMatchObject({
      fault: { code: 'SCRIPT_ABORTED' },
    });
  });
});

it('the folder is the one of the parameter scripts.path when it is set', async () => {
  write();
  set = { 'scripts.path': join(ground.room, 'elsewhere') };
  expect(await trials.list()).toMatchObject({ folder: join(ground.room, 'elsewhere'), files: { ok: false } });
  expect(await trials.problemOf('a.sh')).toMatchObject({ code: 'SCRIPT_NOT_FOUND' });
  set = {};
  expect(await trials.list()).toMatchObject({
    files: { ok: true, value: [{ name: 'a.sh', problem: null }] },
  });
  expect(await trials.problemOf('a.sh')).toBeNull();
});
