import type { Guard } from '@stillpoint/contract';
import { describe, expect, it } from 'vitest';
import type { Attempt } from './ports.ts';
import { unquiesceGuard } from './unquiesce-guard.ts';

const guard: Guard = {
  id: '7',
  device: 'QA1',
  domain: 'A',
  taskId: 't1',
  runId: 'r1',
  intendedAt: '2026-03-29T01:00:00.000Z',
  quiescedAt: null,
  hasOwner: false,
  sentence: 'It is being set moving again.',
};
const nothing: Attempt = { seen: [], isSent: false, isReleased: false, problem: null };

/** Unquiesces the guard 7 in a world where it is like this, and answers what came of it and what was done for it. */
async function unquiesce({
  id = '7',
  found = {},
  isReleased = false,
  attempt = nothing,
  cancelsTask = false,
  isTaskOver = false,
  meanwhile = {},
}: {
  id?: string;
  found?: Partial<Guard>;
  isReleased?: boolean;
  attempt?: Attempt | 'busy';
  cancelsTask?: boolean;
  isTaskOver?: boolean;
  meanwhile?: { readonly isReleased?: boolean; readonly found?: Partial<Guard> };
}) {
  const done: string[] = [];
  const outcome = await unquiesceGuard(id, cancelsTask, {
    history: {
      async guard(asked) {
        if (asked !== '7') return null;
        const now = done.length === 0 ? { found, isReleased } : { found, isReleased, ...meanwhile };
        return { guard: { ...guard, ...now.found }, isReleased: now.isReleased };
      },
    },
    runs: {
      async cancelTask(taskId) {
        done.push(`cancel ${taskId}`);
        return !isTaskOver;
      },
    },
    undoer: {
      async workOnNow(guardId) {
        done.push(`work on ${guardId}`);
        return attempt;
      },
    },
  });
  return { done, outcome, code: outcome.ok ? 'ok' : outcome.problem.code };
}

describe('unquiescing now', () => {
  it.each<[string, Parameters<typeof unquiesce>[0]]>([
    ['GUARD_NOT_FOUND', { id: '8' }],
    ['GUARD_ALREADY_RELEASED', { isReleased: true }],
    ['GUARD_HAS_OWNER', { found: { hasOwner: true } }],
  ])('is refused with %s, and nothing is sent', async (expected, world) => {
    const { code, done } = await unquiesce(world);
    expect([code, done]).toEqual([expected, []]);
  });

  it('is left to another node that is at it', async () => {
    expect((await unquiesce({ attempt: 'busy' })).code).toBe('GUARD_BUSY');
  });

  it.each([
    [{ isReleased: true }, 'GUARD_ALREADY_RELEASED'],
    [{ found: { hasOwner: true } }, 'GUARD_HAS_OWNER'],
  ])('says what has become of the guard that was no longer to be had: %j', async (meanwhile, expected) => {
    expect((await unquiesce({ attempt: 'busy', meanwhile })).code).toBe(expected);
  });

  it('tells a task that goes on to stop, when that is asked for, and sends nothing itself', async () => {
    const { outcome, done } = await unquiesce({ found: { hasOwner: true }, cancelsTask: true });
    expect(done).toEqual(['cancel t1']);
    expect(outcome).toMatchObject({
      ok: true,
      value: {
        isTaskTold: true,
        isSent: false,
        sentence: 'The task t1 was told to stop; it sets QA1/A moving again at its next safe point.',
      },
    });
  });

  it('works on what a task left that ended just then', async () => {
    const { done } = await unquiesce({ found: { hasOwner: true }, cancelsTask: true, isTaskOver: true });
    expect(done).toEqual(['cancel t1', 'work on 7']);
  });

  it.each<[Partial<Attempt>, string]>([
    [
      { seen: [{ domain: 'A', quiesceState: 'quiesced' }], isSent: true },
      'QA1/A was told to run again (A was quiesced); Stillpoint goes on looking until it does.',
    ],
    [{ isReleased: true }, 'QA1/A runs; nothing is left to undo.'],
    [
      { problem: 'QA1 does not answer.' },
      'QA1/A could not be unquiesced: QA1 does not answer. It is tried again until it runs.',
    ],
    [
      {},
      'QA1/A was seen running; Stillpoint goes on looking until no request of its own can land there any more.',
    ],
  ])('tells what was seen and sent: %j', async (attempt, sentence) => {
    const { outcome } = await unquiesce({ attempt: { ...nothing, ...attempt } });
    const value = { device: 'QA1', domain: 'A', ...nothing, ...attempt, isTaskTold: false, sentence };
    expect(outcome).toEqual({ ok: true, value });
  });

  it('names the device alone when all of it is quiesced', async () => {
    const { outcome } = await unquiesce({
      found: { domain: null },
      attempt: { ...nothing, isReleased: true },
    });
    expect(outcome).toMatchObject({ ok: true, value: { sentence: 'QA1 runs; nothing is left to undo.' } });
  });
});
