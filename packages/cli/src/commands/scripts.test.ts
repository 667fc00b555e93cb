import type { ScriptList, ScriptTest, TaskDetail } from '@stillpoint/contract';
import { afterEach, describe, expect, test } from 'vitest';
import { beginTrial, type Replies, type Trial } from '../trial.ts';
import { aScriptOutput, aTask } from '../trial-objects.ts';

let trial: Trial | undefined;

afterEach(async () => {
  await trial?.end();
  trial = undefined;
});

async function run(replies: Replies, ...words: string[]): ReturnType<Trial['run']> {
  trial = await beginTrial(replies);
  return trial.run(...words);
}

const problem = { code: 'SCRIPT_NOT_RUNNABLE', sentence: 'It is not executable.', remedy: 'Make it so.' };
const list: ScriptList = {
  folder: '/data/scripts',
  problem: null,
  items: [
    { name: 'a.sh', sizeBytes: 120, problem: null },
    { name: 'b.sh', sizeBytes: 7, problem },
  ],
};
const tried: ScriptTest = {
  name: 'a.sh',
  kind: 'post-task',
  folder: '/data/scripts',
  arguments: ['BACKUP-TASK', 'POST'],
  environment: ['PATH', 'STILLPOINT_KIND'],
  input: { kind: 'BACKUP-TASK', message: null },
  exitCode: 0,
  problem: null,
  durationMs: 12,
  output: 'one\n\u001b[31mtwo\tthree\n',
};

describe('script list', () => {
  test('tells of each file whether it can be run, and what to do', async () => {
    expect(await run({ 'GET /scripts': list }, 'script', 'list')).toEqual({
      exitCode: 0,
      out: `/data/scripts

NAME  BYTES  CAN BE RUN
a.sh  120    yes
b.sh  7      no: It is not executable. Make it so.
`,
      error: '',
    });
    expect(JSON.parse((await trial?.run('script', 'list', '--json'))?.out ?? '')).toEqual(list);
  });

  test('of an empty folder names it, and of one that cannot be read says why', async () => {
    const empty = await run({ 'GET /scripts': { ...list, items: [] } }, 'script', 'list');
    expect(empty).toMatchObject({ exitCode: 0, out: 'There is no script in /data/scripts.\n' });
    await trial?.end();
    const unreadable = await run({ 'GET /scripts': { ...list, items: [], problem } }, 'script', 'list');
    expect(unreadable).toMatchObject({ exitCode: 4, out: 'It is not executable. Make it so.\n' });
  });
});

describe('script test', () => {
  test('prints all that the script was given and printed, and nothing that a terminal would obey', async () => {
    const came = await run(
      { 'POST /scripts/a.sh/test': tried },
      'script',
      'test',
      'a.sh',
      '--kind',
      'post-task',
    );
    expect(came).toEqual({
      exitCode: 0,
      out: `Script          /data/scripts/a.sh
As              post-task
Argument 1      BACKUP-TASK
Argument 2      POST
Environment     PATH, STILLPOINT_KIND
Standard input  {"kind":"BACKUP-TASK","message":null}
Duration        12 ms
Exit code       0

| one
| ?[31mtwo\tthree
`,
      error: '',
    });
    expect(trial?.seen.at(-1)).toMatchObject({ method: 'POST', body: { kind: 'post-task' } });
    expect(JSON.parse((await trial?.run('script', 'test', 'a.sh', '--json'))?.out ?? '')).toEqual(tried);
    expect(trial?.seen.at(-1)).toMatchObject({ body: {} });
  });

  test.each([
    [{ exitCode: 3 }, 1],
    [{ exitCode: null, problem }, 4],
    [{ exitCode: null, problem: { ...problem, code: 'SCRIPT_TIMED_OUT', sentence: 'Too long.' } }, 1],
  ])('of %j ends with exit code %i', async (change, exitCode) => {
    const replies = { 'POST /scripts/a.sh/test': { ...tried, ...change, output: '' } };
    const came = await run(replies, 'script', 'test', 'a.sh');
    expect(came.exitCode).toBe(exitCode);
    expect(came.out).toContain('It printed nothing.');
    expect(came.out.includes('It is not executable. Make it so.')).toBe(exitCode === 4);
  });

  test('of a kind that there is not is a mistake of usage', async () => {
    const came = await run({}, 'script', 'test', 'a.sh', '--kind', 'mid-plan');
    expect(came.exitCode).toBe(2);
    expect(came.error).toContain('pre-plan, post-plan, pre-task, post-task');
    expect(trial?.seen).toEqual([]);
  });
});

describe('task show', () => {
  const at = aScriptOutput.endedAt;
  const detail: TaskDetail = {
    ...aTask,
    warnings: ['slow'],
    steps: [
      { name: 'runPreScript', attempt: 1, startedAt: at, endedAt: at, outcome: 'succeeded', detail: null },
    ],
    scripts: [
      { ...aScriptOutput, phase: 'pre', exitCode: null, output: 'waiting\nThe script was cut off.\n' },
    ],
  };

  test('prints the steps of a task and what its scripts printed', async () => {
    const { out, exitCode } = await run({ 'GET /tasks/t1': detail }, 'task', 'show', 't1');
    expect(exitCode).toBe(0);
    expect(out).toBe(`SUCCEEDED  EXPORT_DOMAIN  QA1/DOMAIN1
Warning: slow

STEP          STARTED                   ENDED                     OUTCOME    DETAIL
runPreScript  ${at}  ${at}  succeeded  -

The pre-task script after.sh came to no exit code at ${at}.
| waiting
| The script was cut off.
`);
    expect(JSON.parse((await trial?.run('task', 'show', 't1', '--json'))?.out ?? '')).toEqual(detail);
  });
});
