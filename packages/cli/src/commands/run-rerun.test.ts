import type { Task, TaskDetail } from '@stillpoint/contract';
import { problemOf } from '@stillpoint/contract';
import { afterEach, describe, expect, test } from 'vitest';
import { beginTrial, type Replies, Reply, type Trial } from '../trial.ts';
import { aRun, aTask } from '../trial-objects.ts';

let trial: Trial | undefined;

afterEach(async () => {
  await trial?.end();
  trial = undefined;
});

async function run(replies: Replies, ...args: string[]): ReturnType<Trial['run']> {
  trial = await beginTrial(replies);
  return trial.run(...args);
}

describe('run rerun', () => {
  const queued = { ...aRun, id: 'r2', status: 'QUEUED' as const, repeatsRunId: 'r1' };

  test('asks for what failed, and names both runs', async () => {
    const { out, exitCode } = await run(
      { 'POST /runs/r1/rerun': new Reply(202, queued) },
      'run',
      'rerun',
      'r1',
      '--failed',
    );
    expect(exitCode).toBe(0);
    expect(out).toContain('Run r2 of plan "nightly", which repeats what failed in run r1, is in the queue');
    expect(trial?.seen.at(-1)?.body).toEqual({ onlyFailed: true });
  });

  test('without --failed is a mistake of usage, for nothing else can be repeated', async () => {
    const { exitCode } = await run({}, 'run', 'rerun', 'r1');
    expect([exitCode, trial?.seen]).toEqual([2, []]);
  });

  test.each([
    ['NOTHING_TO_REPEAT', 3],
    ['RUN_NOT_ENDED', 4],
    ['RUN_NOT_FOUND', 2],
  ] as const)('that is refused with %s ends in %s', async (code, expected) => {
    const problem = problemOf({ code, detail: 'No.' });
    const replies = { 'POST /runs/r1/rerun': new Reply(problem.status, problem) };
    const { exitCode } = await run(replies, 'run', 'rerun', 'r1', '--failed');
    expect(exitCode).toBe(expected);
  });
});

describe('a task that is tried again', () => {
  const at = '2026-03-29T01:10:00.000Z';
  const waiting: Task = {
    ...aTask,
    status: 'WAITING',
    reasonCode: 'CONNECTION_LOST',
    sentence: 'The connection broke.',
    attempt: 2,
    attempts: 3,
    nextAttemptAt: at,
    endedAt: null,
    files: [],
  };

  test('is shown with its attempt and the time of the next one', async () => {
    const replies = {
      'GET /runs/r1': { ...aRun, status: 'RUNNING' as const, endedAt: null },
      'GET /runs/r1/tasks': { items: [waiting], nextCursor: null },
      'GET /runs/r1/scripts': { items: [] },
    };
    const { out } = await run(replies, 'run', 'show', 'r1');
    expect(out).toContain('WAITING (attempt 2 of 3)');
    expect(out).toContain(`QA1/DOMAIN1 is tried again at ${at}.`);
  });

  test('has each of its steps under the attempt that it belongs to', async () => {
    const step = { startedAt: at, endedAt: at, outcome: 'failed' as const, detail: null };
    const steps = [
      { ...step, name: 'look', attempt: 1 },
      { ...step, name: 'look', attempt: 2 },
    ];
    const detail: TaskDetail = { ...waiting, steps, scripts: [] };
    const { out } = await run({ 'GET /tasks/t1': detail }, 'task', 'show', 't1');
    expect(out).toMatch(/ATTEMPT +STEP/);
    expect(out).toMatch(/\n1 +look/);
    expect(out).toMatch(/\n2 +look/);
  });
});
