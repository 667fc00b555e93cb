import type { UnquiesceOutcome } from '@stillpoint/contract';
import { problemOf } from '@stillpoint/contract';
import { afterEach, describe, expect, test } from 'vitest';
import { beginTrial, type Replies, Reply, type Trial } from '../trial.ts';
import { aGuard } from '../trial-objects.ts';

let trial: Trial | undefined;

afterEach(async () => {
  await trial?.end();
  trial = undefined;
});

const outcome: UnquiesceOutcome = {
  device: 'QA1',
  domain: 'DOMAIN1',
  seen: [{ domain: 'DOMAIN1', quiesceState: 'quiesced' }],
  isSent: true,
  isReleased: false,
  isTaskTold: false,
  problem: null,
  sentence: 'QA1/DOMAIN1 was told to run again.',
};

const replies: Replies = {
  'GET /guards': { items: [{ ...aGuard, id: '6', device: 'QA2' }, aGuard] },
  'POST /guards/7/unquiesce': outcome,
};

const sent = () => trial?.seen.filter(({ method }) => method === 'POST').map(({ url, body }) => [url, body]);

describe('guard unquiesce', () => {
  test('finds the guard of the device, sends it and tells what was done', async () => {
    trial = await beginTrial(replies);
    expect(await trial.run('guard', 'unquiesce', 'QA1', '--yes')).toEqual({
      exitCode: 0,
      out: 'QA1/DOMAIN1 was told to run again.\n',
      error: '',
    });
    expect(sent()).toEqual([['/api/v1/guards/7/unquiesce', { cancelsTask: false }]]);
    const { out } = await trial.run('guard', 'unquiesce', 'QA1', '--yes', '--json', '--cancel-task');
    expect(JSON.parse(out)).toEqual(outcome);
    expect(sent()?.at(-1)).toEqual(['/api/v1/guards/7/unquiesce', { cancelsTask: true }]);
  });

  test('asks first, and sends nothing without a yes', async () => {
    const questions: string[] = [];
    let isMeant = false;
    const confirm = async (question: string): Promise<boolean> => {
      questions.push(question);
      return isMeant;
    };
    trial = await beginTrial(replies, { confirm });
    expect((await trial.run('guard', 'unquiesce', 'QA1')).exitCode).toBe(2);
    expect(sent()).toEqual([]);
    isMeant = true;
    expect((await trial.run('guard', 'unquiesce', 'QA1')).exitCode).toBe(0);
    expect(questions).toEqual(['Unquiesce QA1/DOMAIN1 now?', 'Unquiesce QA1/DOMAIN1 now?']);
    expect(sent()).toHaveLength(1);
  });

  test('asks whether the task is to be stopped, where one that goes on is', async () => {
    const questions: string[] = [];
    const confirm = async (question: string): Promise<boolean> => questions.push(question) < 0;
    const held = { ...aGuard, hasOwner: true };
    trial = await beginTrial({ 'GET /guards': { items: [held] } }, { confirm });
    await trial.run('guard', 'unquiesce', 'QA1');
    await trial.run('guard', 'unquiesce', 'QA1', '--cancel-task');
    expect(questions).toEqual([
      'Unquiesce QA1/DOMAIN1 now?',
      `Stop the task ${held.taskId}, so that its backup is not taken, and have it unquiesce QA1/DOMAIN1 now?`,
    ]);
  });

  test('wants --yes where nobody can be asked', async () => {
    trial = await beginTrial(replies);
    const { exitCode, error } = await trial.run('guard', 'unquiesce', 'QA1');
    expect(exitCode).toBe(2);
    expect(error).toContain('--yes');
    expect(sent()).toEqual([]);
  });

  test('of a device on which nothing is quiesced by Stillpoint is refused', async () => {
    trial = await beginTrial(replies);
    const { exitCode, error } = await trial.run('guard', 'unquiesce', 'QA9', '--yes');
    expect(exitCode).toBe(2);
    expect(error).toContain('Stillpoint has quiesced nothing on "QA9".');
    expect(sent()).toEqual([]);
  });

  test('that the device did not take ends in 1, and one that is refused in 4', async () => {
    const problem = 'QA1 does not answer.';
    trial = await beginTrial({
      ...replies,
      'POST /guards/7/unquiesce': { ...outcome, isSent: false, problem },
    });
    expect((await trial.run('guard', 'unquiesce', 'QA1', '--yes')).exitCode).toBe(1);
    await trial.end();
    const refused = problemOf({ code: 'GUARD_HAS_OWNER', detail: 'QA1 is held by a task.' });
    trial = await beginTrial({ ...replies, 'POST /guards/7/unquiesce': new Reply(409, refused) });
    const { exitCode, error } = await trial.run('guard', 'unquiesce', 'QA1', '--yes');
    expect(exitCode).toBe(4);
    expect(error).toContain('--cancel-task');
  });
});
