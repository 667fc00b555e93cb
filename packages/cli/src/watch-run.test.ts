import { problemOf } from '@stillpoint/contract';
import { afterEach, expect, test } from 'vitest';
import { beginTrial, type Replies, Reply, type Trial } from './trial.ts';
import { aRun, aTask } from './trial-objects.ts';

let trial: Trial | undefined;

afterEach(async () => {
  await trial?.end();
  trial = undefined;
});

/** A server whose run goes through these looks, one a poll, and stays at the last. */
function goingThrough(looks: readonly { run: object; tasks?: readonly object[] }[]): Replies {
  let index = 0;
  return {
    'POST /plans/nightly/runs': new Reply(202, aRun),
    'GET /runs/r1': () => ({ ...aRun, ...looks[index]?.run }),
    'GET /runs/r1/tasks': () => {
      const tasks = looks[index]?.tasks ?? [];
      index = Math.min(index + 1, looks.length - 1);
      return { items: tasks.map((task) => ({ ...aTask, ...task })), nextCursor: null };
    },
  };
}

const counters = { ...aRun.counters, devices: 2, succeeded: 1, failed: 1 };
const waiting = { status: 'WAITING', files: [] };
const story = [
  { run: { status: 'QUEUED' } },
  { run: { status: 'RUNNING' }, tasks: [{ status: 'RUNNING' }, { id: 't2', ...waiting, device: 'QA2' }] },
  { run: { status: 'RUNNING' }, tasks: [{ status: 'SUCCEEDED' }, { id: 't2', ...waiting, device: 'QA2' }] },
  {
    run: { status: 'PARTIAL', counters, sentence: 'One task failed.' },
    tasks: [{}, { id: 't2', status: 'FAILED', device: 'QA2', domain: null, sentence: 'QA2 went away.' }],
  },
];

test('a person who waits sees each change of a task once, and at last the run', async () => {
  trial = await beginTrial(goingThrough(story));
  expect(await trial.run('run', 'nightly', '--wait')).toEqual({
    exitCode: 1,
    error: 'Run r1 of plan "nightly" is in the queue.\n',
    out: `RUNNING    EXPORT_DOMAIN  QA1/DOMAIN1
WAITING    EXPORT_DOMAIN  QA2/DOMAIN1
SUCCEEDED  EXPORT_DOMAIN  QA1/DOMAIN1
FAILED     EXPORT_DOMAIN  QA2  QA2 went away.
Run r1 of plan "nightly": PARTIAL; 1 succeeded, 1 failed. One task failed.
`,
  });
});

test('a program that waits gets one document: the run as it ended', async () => {
  trial = await beginTrial(goingThrough(story));
  const { exitCode, out, error } = await trial.run('plan', 'run', 'nightly', '--wait', '--json');
  expect({ exitCode, error }).toEqual({ exitCode: 1, error: '' });
  expect(JSON.parse(out)).toMatchObject({ id: 'r1', status: 'PARTIAL' });
});

test('a program that watches gets one document a line', async () => {
  trial = await beginTrial(goingThrough(story));
  const { exitCode, out } = await trial.run('run', 'watch', 'r1', '--json');
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { task?: { id: string; status: string } });
  expect(exitCode).toBe(1);
  expect(lines.map(({ task }) => (task === undefined ? 'run' : `${task.id} ${task.status}`))).toEqual([
    't1 RUNNING',
    't2 WAITING',
    't1 SUCCEEDED',
    't2 FAILED',
    'run',
  ]);
});

test.each([
  ['SUCCEEDED', null, 0],
  ['CANCELLED', null, 1],
  ['SKIPPED', null, 3],
  ['SKIPPED', 'BACKUPS_ARE_DISABLED', 4],
  ['FAILED', 'PRE_VALIDATION_STORE_IS_NOT_MOUNTED', 4],
])('waiting for a run that ends %s (%s) ends in %d', async (status, reasonCode, exitCode) => {
  trial = await beginTrial(goingThrough([{ run: { status, reasonCode } }]));
  expect((await trial.run('run', 'nightly', '--wait')).exitCode).toBe(exitCode);
});

test('Ctrl-C only stops the watching and says so', async () => {
  const controller = new AbortController();
  let released = 0;
  trial = await beginTrial(goingThrough([{ run: { status: 'RUNNING' } }]), {
    pause: async () => controller.abort(),
    listenForInterrupt: () => ({ signal: controller.signal, release: () => released++ }),
  });
  const { exitCode, error } = await trial.run('run', 'watch', 'r1');
  expect(exitCode).toBe(130);
  expect(error).toMatch(
    /^Stopped watching; run r1 goes on\. .*"stillpoint run watch r1".*"stillpoint run cancel r1"/,
  );
  expect(released).toBe(1);
  expect(trial.seen.map(({ method }) => method)).toEqual(['GET', 'GET']);
});

test('a server that is being restarted is waited for', async () => {
  const replies = goingThrough([{ run: { status: 'SUCCEEDED' } }]);
  const run = replies['GET /runs/r1'] as () => unknown;
  let restarting = 3;
  replies['GET /runs/r1'] = () =>
    restarting-- > 0
      ? new Reply(503, problemOf({ code: 'SERVER_NOT_READY', detail: 'The server is stopping.' }))
      : run();
  trial = await beginTrial(replies);
  const { exitCode, error } = await trial.run('run', 'watch', 'r1');
  expect(exitCode).toBe(0);
  expect(error).toBe('The server is stopping. Trying again; the run does not depend on being watched.\n');
});

test('a server that stays away is given up on with the exit code for it', async () => {
  const problem = problemOf({ code: 'SERVER_NOT_READY', detail: 'The server is stopping.' });
  trial = await beginTrial({ 'GET /runs/r1': new Reply(503, problem) });
  expect((await trial.run('run', 'watch', 'r1')).exitCode).toBe(6);
  expect(trial.seen).toHaveLength(30);
});

test('a run that is not there is told at once', async () => {
  const problem = problemOf({ code: 'RUN_NOT_FOUND', detail: 'There is no run r9.' });
  trial = await beginTrial({ 'GET /runs/r9': new Reply(404, problem) });
  expect((await trial.run('run', 'watch', 'r9')).exitCode).toBe(2);
  expect(trial.seen).toHaveLength(1);
});
